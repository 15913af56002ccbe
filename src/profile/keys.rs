//! The keys of a profile, in the order in which one is written.

use serde::{Deserialize, Serialize};

use super::{Live, Models, Profile, RequestSpec};
use crate::footprint::checked::{list, one_line, one_line_if_any};
use crate::footprint::{Footprint, Program, Settings, Topology, settings};
use crate::service::{
    Costs, Demand, Project, Service, Stated, Storage, Target, Thresholds, Tier, Traffic, Volume,
    Workers,
};
use crate::units::Units;

/// A profile as it is written: what [`Service`] holds stands beside the rest.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keys {
    #[serde(deserialize_with = "one_line")]
    name: String,
    #[serde(
        default,
        deserialize_with = "one_line_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    units: Option<Units>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project: Option<Project>,
    #[serde(default)]
    topology: Topology,
    #[serde(default, skip_serializing_if = "Models::is_empty")]
    models: Models,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    declared: Option<Costs>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    live: Option<Live>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    program: Option<Program>,
    #[serde(default)]
    request: RequestSpec,
    #[serde(default, deserialize_with = "settings")]
    settings: Settings,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    storage: Option<Storage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traffic: Option<Traffic>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    demand: Option<Demand>,
    #[serde(default, deserialize_with = "list", skip_serializing_if = "Vec::is_empty")]
    volumes: Vec<Volume>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    workers: Option<Workers>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<Target>,
    #[serde(default, deserialize_with = "list", skip_serializing_if = "Vec::is_empty")]
    tiers: Vec<Tier>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thresholds: Option<Thresholds>,
    #[serde(default, deserialize_with = "list", skip_serializing_if = "Vec::is_empty")]
    stated: Vec<Stated>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    footprint: Option<Footprint>,
}

impl TryFrom<Keys> for Profile {
    type Error = String;

    fn try_from(keys: Keys) -> Result<Self, String> {
        let refused = |text: &str| Err(text.to_owned());
        if let Some(live) = &keys.live {
            if !keys.models.is_empty() || keys.declared.is_some() {
                return refused(
                    "`live` is a service that runs by itself: it has no `models` and no `declared` costs here",
                );
            }
            live.check()?;
        }
        match (keys.models.is_empty(), &keys.declared) {
            (true, None) if keys.live.is_none() => {
                return refused(
                    "there is no `models`: add it, or say what parts cost in `declared`",
                );
            }
            (false, Some(_)) => {
                return refused(
                    "`models` are run and measured, `declared` costs are believed: keep one of them",
                );
            }
            (true, Some(_)) if keys.footprint.is_some() => {
                return refused(
                    "a service of `declared` costs has no `footprint`: keep one of them",
                );
            }
            _ => {}
        }
        if keys.program.is_some() && keys.models.is_empty() {
            return refused(
                "`program` is the server process around measured `models`: a live service is measured with \
                 its own, and `declared` costs name theirs",
            );
        }
        Ok(Self {
            name: keys.name,
            title: keys.title,
            topology: keys.topology,
            models: keys.models,
            declared: keys.declared,
            live: keys.live,
            program: keys.program,
            request: keys.request,
            settings: keys.settings,
            service: Service {
                units: keys.units,
                project: keys.project,
                storage: keys.storage,
                traffic: keys.traffic,
                demand: keys.demand,
                volumes: keys.volumes,
                workers: keys.workers,
                target: keys.target,
                tiers: keys.tiers,
                thresholds: keys.thresholds,
                stated: keys.stated,
            },
            footprint: keys.footprint,
        })
    }
}

impl From<Profile> for Keys {
    fn from(profile: Profile) -> Self {
        let Service {
            units,
            project,
            storage,
            traffic,
            demand,
            volumes,
            workers,
            target,
            tiers,
            thresholds,
            stated,
        } = profile.service;
        Self {
            name: profile.name,
            title: profile.title,
            units,
            project,
            topology: profile.topology,
            models: profile.models,
            declared: profile.declared,
            live: profile.live,
            program: profile.program,
            request: profile.request,
            settings: profile.settings,
            storage,
            traffic,
            demand,
            volumes,
            workers,
            target,
            tiers,
            thresholds,
            stated,
            footprint: profile.footprint,
        }
    }
}
