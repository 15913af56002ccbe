//! Secrets: what of a request no profile keeps, because profiles are committed and shown.

/// Marks the environment variable that holds the value of a header, or of a parameter of an address.
pub const ENVIRONMENT_MARK: &str = "env:";

/// Words of which one makes the value of a header a secret.
const SECRET: [&str; 14] = [
    "authorization",
    "auth",
    "cookie",
    "token",
    "secret",
    "password",
    "apikey",
    "api-key",
    "access-key",
    "credential",
    "credentials",
    "session",
    "signature",
    "jwt",
];

/// What is said of a header whose value would be kept.
pub(super) const IS_SECRET: &str = "a profile keeps its headers, and Authorization, Cookie, X-Api-Key and their \
     like hold secrets: put the value in an environment variable and name that, as in --bearer-env \
     MY_TOKEN (`bearer_env:`) or --header 'X-Api-Key: env:MY_KEY'";

/// What is said of an address with a password.
const HAS_USER: &str = "an address is kept in the profile, and what is before its @ is a secret: \
     leave it out, and name an environment variable that holds the value of the header instead, as \
     in --header 'Authorization: env:MY_BASIC'";

/// Whether a header of this name holds a secret, by the words in its name.
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase().replace('_', "-");
    let words: Vec<&str> = name.split('-').collect();
    let pairs = words.windows(2).map(|pair| pair.join("-"));
    let all = words.iter().map(|word| (*word).to_owned()).chain(pairs);
    all.into_iter().any(|word| SECRET.contains(&word.as_str()))
}

/// What is said of an address with a secret among its parameters.
const IN_QUERY: &str = "an address is kept in the profile, and the parameters key, token, \
     signature and their like hold secrets: put the value in an environment variable and name that, \
     as in 'http://127.0.0.1:8000/predict?api_key=env:MY_KEY'";

/// Names of parameters that hold secrets, beyond the words that do in headers.
const SECRET_PARAMETERS: [&str; 3] = ["key", "sig", "code"];

/// What an address would give away, as in `http://me:secret@host/` and `http://host/?token=secret`.
pub fn in_address(url: &str) -> Option<&'static str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    if rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@')) {
        return Some(HAS_USER);
    }
    let is_kept = |(name, value): (&str, &str)| {
        (is_secret(name) || SECRET_PARAMETERS.contains(&name.to_ascii_lowercase().as_str()))
            && !value.is_empty()
            && !value.starts_with(ENVIRONMENT_MARK)
    };
    parameters(url).any(is_kept).then_some(IN_QUERY)
}

/// What is before the parameters of an address, these, and what is after them.
fn parts(url: &str) -> (&str, &str, &str) {
    let (url, after) = url.split_at(url.find('#').unwrap_or(url.len()));
    let (before, query) = url.split_at(url.find('?').map_or(url.len(), |mark| mark + 1));
    (before, query, after)
}

fn parameters(url: &str) -> impl Iterator<Item = (&str, &str)> {
    parts(url).1.split('&').filter_map(|pair| pair.split_once('='))
}

/// The variables that the parameters of an address name.
pub(super) fn variables_of(url: &str) -> impl Iterator<Item = &str> {
    parameters(url).filter_map(|(_, value)| value.strip_prefix(ENVIRONMENT_MARK))
}

/// The address with what the variables hold that its parameters name.
///
/// # Errors
/// Those of `held`, which is asked for what a variable holds, as it stands in an address.
pub fn filled<E>(url: &str, held: impl Fn(&str) -> Result<String, E>) -> Result<String, E> {
    let (before, query, after) = parts(url);
    let fill = |pair: &str| match pair.split_once('=') {
        Some((name, value)) => match value.strip_prefix(ENVIRONMENT_MARK) {
            Some(variable) => Ok(format!("{name}={}", held(variable)?)),
            None => Ok(pair.to_owned()),
        },
        None => Ok(pair.to_owned()),
    };
    let query: Vec<String> = query.split('&').map(fill).collect::<Result<_, E>>()?;
    Ok(format!("{before}{}{after}", query.join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Live;

    fn live(text: &str) -> Live {
        serde_yaml::from_str(text).unwrap()
    }

    #[test]
    fn secrets_are_not_kept() {
        for header in ["Authorization: Bearer x", "cookie: a=b", "X-Api-Key: x", "X_CSRF_Token: x"]
        {
            let headers = format!("{{url: http://h/, requests: [{{headers: {{{header}}}}}]}}");
            assert_eq!(live(&headers).check(), Err(IS_SECRET), "{header}");
        }
        for header in ["X-Api-Key: 'env:MY_KEY'", "Idempotency-Key: x", "X-Author: x", "Accept: y"]
        {
            let headers = format!("{{url: http://h/, requests: [{{headers: {{{header}}}}}]}}");
            assert_eq!(live(&headers).check(), Ok(()), "{header}");
        }
        for url in ["{url: 'http://me:pw@h/'}", "{url: http://h/, ready: !url 'http://me@h'}"] {
            assert_eq!(live(url).check(), Err(HAS_USER));
        }
        assert_eq!(live("{url: 'http://h/a@b?c=d@e'}").check(), Ok(()));
    }

    #[test]
    fn an_address_shows_no_secret_among_its_parameters() {
        for url in ["http://h/?api_key=x", "http://h/a?b=c&Access-Token=x#d", "http://h/?key=x"] {
            assert_eq!(in_address(url), Some(IN_QUERY), "{url}");
        }
        for url in ["http://h/?monkey=x", "http://h/?size=3&token=env:T", "http://h/#?key=x"] {
            assert_eq!(in_address(url), None, "{url}");
        }
        let held = |name: &str| Ok::<_, ()>(format!("<{name}>"));
        let url = "http://h/a=env:A?ba=env:AB&a=env:A&c&token=env:T#a=env:X";
        let full = "http://h/a=env:A?ba=<AB>&a=<A>&c&token=<T>#a=env:X";
        assert_eq!(filled(url, held).unwrap(), full);
        for plain in ["http://h", "http://h/?", "http://h/?a&b=#c", ""] {
            assert_eq!(filled(plain, held).unwrap(), plain);
        }
        assert_eq!(filled(url, |_| Err(())), Err(()));
    }
}
