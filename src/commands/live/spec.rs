//! What was typed of a live service, as a profile has it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf, absolute};

use anyhow::{Context, bail};

use crate::cli::{LiveArgs, MeasureArgs};
use crate::footprint::checked::made_one_line;
use crate::footprint::{Settings, Topology};
use crate::measure::live::client::Address;
use crate::measure::live::tree::Root;
use crate::profile::{Ask, Fresh, Live, Models, Profile, Ready, RequestSpec, Values, asks};
use crate::service::{Quantity, Service};
use crate::units::Seconds;

/// The profile of the live service that the options name: typed, or in a profile; `None` where
/// neither is.
pub fn profile(args: &MeasureArgs) -> anyhow::Result<Option<Profile>> {
    let typed = &args.live;
    let named = match &args.service.profile {
        Some(name) => Some(Profile::find(name)?).filter(|p| p.live.is_some()),
        None => None,
    };
    if !typed.is_asked() && named.is_none() {
        if let Some(option) = typed.only_live() {
            bail!(
                "{option} is for a service that runs by itself, and none is named: add --url \
                 http://127.0.0.1:8000/predict with --pid PID, or with the command behind --"
            );
        }
        return Ok(None);
    }
    if args.service.model.is_some() {
        bail!(
            "--model is run by this tool, and a live service runs by itself: leave out one of them"
        );
    }
    if let Some(mut profile) = named {
        profile.footprint = None;
        profile.live = profile.live.map(|live| overridden(live, typed)).transpose()?;
        profile.live.as_ref().map_or(Ok(()), Live::check).map_err(anyhow::Error::msg)?;
        return Ok(Some(profile));
    }
    let url = match (&typed.url, typed.watch) {
        (Some(url), _) => url.clone(),
        // Nothing is asked.
        (None, Some(_)) => "http://127.0.0.1/".to_owned(),
        (None, None) => {
            bail!("nothing says what to ask the service: add --url http://127.0.0.1:8000/predict")
        }
    };
    let url = located(&url)?;
    let live = Live {
        command: typed.command.clone(),
        folder: if typed.command.is_empty() { None } else { Some(here()?) },
        url: url.clone(),
        ready: typed.ready.as_deref().map(ready).transpose()?,
        start_timeout: typed.start_timeout.map(quantity).transpose()?,
        timeout: typed.timeout.map(quantity).transpose()?,
        bearer_env: typed.bearer_env.clone(),
        ca: typed.ca.as_deref().map(absolute).transpose()?,
        allow_values: typed.allow_value.clone(),
        requests: requests(typed, &typed.allow_value)?,
    };
    live.check().map_err(anyhow::Error::msg)?;
    // Whatever it is asked by others: nothing is sent to what is only watched.
    if typed.watch.is_none() {
        Address::parse(&url)?;
    }
    Ok(Some(Profile {
        name: name(&url),
        title: None,
        topology: Topology::Shared,
        models: Models::default(),
        declared: None,
        live: Some(live),
        program: None,
        request: RequestSpec::default(),
        settings: Settings::default(),
        service: Service::default(),
        footprint: None,
    }))
}

/// What a profile says, where the command line says nothing else.
fn overridden(live: Live, typed: &LiveArgs) -> anyhow::Result<Live> {
    let (command, folder) = if typed.command.is_empty() {
        (live.command, live.folder)
    } else {
        (typed.command.clone(), Some(here()?))
    };
    let allow_values = [live.allow_values, typed.allow_value.clone()].concat();
    let asked = requests(typed, &allow_values)?;
    Ok(Live {
        command,
        folder,
        url: typed.url.as_deref().map(located).transpose()?.unwrap_or(live.url),
        ready: typed.ready.as_deref().map(ready).transpose()?.or(live.ready),
        start_timeout: typed.start_timeout.map(quantity).transpose()?.or(live.start_timeout),
        timeout: typed.timeout.map(quantity).transpose()?.or(live.timeout),
        bearer_env: typed.bearer_env.clone().or(live.bearer_env),
        ca: typed.ca.as_deref().map(absolute).transpose()?.or(live.ca),
        allow_values,
        requests: if asked.is_empty() { live.requests } else { asked },
    })
}

/// What runs already, if something was named.
pub fn root(args: &LiveArgs) -> Option<Root> {
    match (&args.pid[..], &args.cgroup) {
        ([], None) => None,
        ([], Some(path)) => Some(Root::Group(path.clone())),
        (ids, _) => Some(Root::Processes(ids.to_vec())),
    }
}

fn here() -> anyhow::Result<PathBuf> {
    std::env::current_dir().context("the folder that this runs in is gone")
}

/// The service's address without what does not tell it from others.
fn name(url: &str) -> String {
    let socket = url.strip_prefix("unix:").map(|rest| rest.trim_start_matches("//"));
    let rest = socket.or_else(|| url.split_once("://").map(|(_, rest)| rest)).unwrap_or(url);
    made_one_line(rest.trim_end_matches('/'))
}

fn ready(text: &str) -> anyhow::Result<Ready> {
    let is_scheme = |scheme: &str| {
        !scheme.is_empty()
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    };
    let has_scheme = text.split_once("://").is_some_and(|(scheme, _)| is_scheme(scheme));
    if has_scheme || text.starts_with("unix:") {
        Address::parse(text)?;
        return Ok(Ready::Url(located(text)?));
    }
    Ok(text.parse().map_or_else(|_| Ready::Line(text.to_owned()), Ready::Port))
}

/// The address, whose socket does not depend on the folder that this runs in.
fn located(url: &str) -> anyhow::Result<String> {
    Ok(crate::profile::resolved(url, &here()?))
}

fn quantity(seconds: Seconds) -> anyhow::Result<Quantity<Seconds>> {
    Quantity::parse(&format!("{}s", seconds.get())).map_err(anyhow::Error::msg)
}

fn requests(typed: &LiveArgs, allow_values: &[String]) -> anyhow::Result<Vec<Ask>> {
    let mut headers = BTreeMap::new();
    for header in &typed.header {
        // What it holds may be a secret, and is not repeated.
        let (name, value) = header
            .split_once(':')
            .context("a --header has no colon: write it as in --header 'X-Test: 1'")?;
        headers.insert(name.trim().to_owned(), value.trim().to_owned());
    }
    if let Some(path) = &typed.requests {
        return Ok(asks(path, allow_values)?
            .into_iter()
            .map(|ask| with(ask, &headers, typed))
            .collect());
    }
    let mut form = BTreeMap::<String, Values>::new();
    for field in &typed.form {
        let (name, value) = field.split_once('=').filter(|(name, _)| !name.is_empty()).context(
            "a --form has no name or no equals sign: write it as in --form file=@scan.png",
        )?;
        let file = value.strip_prefix('@').filter(|_| Fresh::of(value).is_none());
        let value = match file {
            Some(file) => format!("@{}", absolute(Path::new(file))?.display()),
            None => value.to_owned(),
        };
        form.entry(name.to_owned()).or_default().0.push(value);
    }
    let mut ask = Ask {
        method: typed.method.clone(),
        headers,
        body: typed.body.as_deref().map(absolute).transpose()?,
        form,
        json: typed.json.as_deref().map(json).transpose()?,
        ..Ask::default()
    };
    if ask == Ask::default() {
        return Ok(Vec::new());
    }
    ask.resolve_json(&here()?);
    Ok(vec![ask])
}

/// What was typed goes for each kind of request that does not say otherwise.
fn with(mut ask: Ask, headers: &BTreeMap<String, String>, typed: &LiveArgs) -> Ask {
    for (name, value) in headers {
        if !ask.headers.keys().any(|own| own.eq_ignore_ascii_case(name)) {
            ask.headers.insert(name.clone(), value.clone());
        }
    }
    ask.method = ask.method.or_else(|| typed.method.clone());
    ask
}

fn json(text: &str) -> anyhow::Result<crate::profile::Json> {
    let value: serde_json::Value = serde_json::from_str(text).context("--json is not JSON")?;
    crate::profile::Json::of(&value).context("--json cannot be kept in a profile")
}
