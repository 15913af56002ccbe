//! `measure` of a service that runs by itself.

use std::path::PathBuf;

use clap::Args;

use crate::units::Seconds;

/// The headings in help.
const LIVE: &str = "A live service";
const REQUESTS: &str = "Requests to it";

/// Where it is, how it is started, and what it is asked.
#[derive(Debug, Clone, Default, Args)]
pub struct LiveArgs {
    /// Measure a service of any language that answers here
    #[arg(long, value_name = "URL", help_heading = LIVE,
          help = "Measure a service of any language that answers here: http://127.0.0.1:8000/predict, unix:/run/app.sock:/predict")]
    pub url: Option<String>,
    /// It runs: this process and all that descend from it; given again, those too, as of a proxy
    #[arg(long, value_name = "PID", help_heading = LIVE, conflicts_with_all = ["command", "cgroup"])]
    pub pid: Vec<u32>,
    /// It runs: all processes of this control group, as of a container
    #[arg(long, value_name = "DIR", help_heading = LIVE, conflicts_with = "command")]
    pub cgroup: Option<PathBuf>,
    /// Drive nothing: look for so long at a service under its own traffic: 10m
    #[arg(long, value_name = "TIME", help_heading = LIVE, conflicts_with = "command")]
    pub watch: Option<Seconds>,
    /// With --watch: an address that answers with the number of requests in flight
    #[arg(long, value_name = "URL", help_heading = LIVE, requires = "watch")]
    pub inflight_url: Option<String>,
    /// When a started service can be asked: an address that answers, a port, a socket, or a text of its
    /// output [default: the port of --url, and no answer that says it is not ready]
    #[arg(long, value_name = "URL|PORT|TEXT", help_heading = LIVE)]
    pub ready: Option<String>,
    /// How long it may take until then [default: 1m]
    #[arg(long, value_name = "TIME", help_heading = LIVE)]
    pub start_timeout: Option<Seconds>,
    /// The most requests in flight together [default: 16]
    #[arg(long, value_name = "N", help_heading = LIVE, value_parser = up_to)]
    pub up_to: Option<u32>,
    /// The method [default: POST where something is sent, else GET]
    #[arg(long, value_name = "METHOD", help_heading = REQUESTS)]
    pub method: Option<String>,
    /// A header; of a secret the variable that holds it
    #[arg(long, short = 'H', value_name = "NAME: VALUE", help_heading = REQUESTS,
          help = "A header: \"X-Api-Version: 2\"; of a secret the variable that holds it: \"X-Api-Key: env:MY_KEY\"")]
    pub header: Vec<String>,
    /// Send this file, or the files of this folder in turn
    #[arg(long, value_name = "PATH", help_heading = REQUESTS, conflicts_with_all = ["form", "json", "requests"])]
    pub body: Option<PathBuf>,
    /// Send a form with this field: file=@scan.png, lang=en, id=@uuid; given again, each is sent
    #[arg(long, value_name = "NAME=VALUE", help_heading = REQUESTS, conflicts_with_all = ["json", "requests"])]
    pub form: Vec<String>,
    /// Send JSON; "@base64:scan.png" in it becomes that file, and "@uuid", "@random", "@counter" and
    /// "@words:50" another value in each request: '{"image": "@base64:scan.png", "id": "@uuid"}'
    #[arg(long, value_name = "JSON", help_heading = REQUESTS, conflicts_with = "requests")]
    pub json: Option<String>,
    /// A file (YAML) with different requests and their shares, as `live: requests:` of a profile
    #[arg(long, value_name = "FILE", help_heading = REQUESTS)]
    pub requests: Option<PathBuf>,
    /// The environment variable that holds a bearer token; it is never printed or written
    #[arg(long, value_name = "NAME", help_heading = REQUESTS)]
    pub bearer_env: Option<String>,
    /// A name of a header, parameter, field, option or variable whose value is no secret and may be
    /// kept in the profile
    #[arg(long, value_name = "NAME", help_heading = REQUESTS,
          help = "A name of a header, parameter, field, option or variable whose value is no secret and may be kept \
                  in the profile; `path` of a part of the path of --url, `command` of a word of the command")]
    pub allow_value: Vec<String>,
    /// Certificates (PEM) that signed the service's own, instead of the public ones
    #[arg(long, value_name = "FILE", help_heading = REQUESTS)]
    pub ca: Option<PathBuf>,
    /// How long an answer is waited for [default: 30s]
    #[arg(long, value_name = "TIME", help_heading = REQUESTS)]
    pub timeout: Option<Seconds>,
    /// The command that starts the service, behind --
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Fewer points make no line of memory.
fn up_to(text: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(n @ 3..=1024) => Ok(n),
        Ok(0..3) => Err("a line of memory needs 1, 2 and 3 in flight: give at least 3".to_owned()),
        _ => Err("give a number of requests from 3 to 1024".to_owned()),
    }
}

impl LiveArgs {
    /// An option that only a live service has, as it was typed.
    pub fn only_live(&self) -> Option<&'static str> {
        let typed = [
            (self.ready.is_some(), "--ready"),
            (self.start_timeout.is_some(), "--start-timeout"),
            (self.up_to.is_some(), "--up-to"),
            (self.method.is_some(), "--method"),
            (!self.header.is_empty(), "--header"),
            (self.body.is_some(), "--body"),
            (!self.form.is_empty(), "--form"),
            (self.json.is_some(), "--json"),
            (self.requests.is_some(), "--requests"),
            (self.bearer_env.is_some(), "--bearer-env"),
            (!self.allow_value.is_empty(), "--allow-value"),
            (self.ca.is_some(), "--ca"),
            (self.timeout.is_some(), "--timeout"),
        ];
        typed.into_iter().find(|(is_typed, _)| *is_typed).map(|(_, name)| name)
    }

    /// Whether anything of a live service was typed.
    pub fn is_asked(&self) -> bool {
        self.url.is_some()
            || !self.pid.is_empty()
            || self.cgroup.is_some()
            || self.watch.is_some()
            || !self.command.is_empty()
    }
}
