//! M/M/c: Poisson arrivals, exponential service times, c servers, first come first served.
//!
//! A. K. Erlang, Solution of some Problems in the Theory of Probabilities of Significance in
//! Automatic Telephone Exchanges, 1917; in the notation of L. Kleinrock, Queueing Systems I, 1975.

/// The chance that a request has to wait (Erlang C): `servers` of them, 1 or more, offered
/// `load` = rate × mean service time, 0 to below `servers`. 1 at that and beyond.
pub fn chance_to_wait(servers: u32, load: f64) -> f64 {
    let c = f64::from(servers.max(1));
    if load >= c {
        return 1.0;
    }
    // Erlang B by its recursion, which overflows for no number of servers, and from it C.
    let mut blocked = 1.0;
    for n in 1..=servers.max(1) {
        blocked = load * blocked / (f64::from(n) + load * blocked);
    }
    blocked / (1.0 - load / c * (1.0 - blocked))
}

/// The mean time in the queue, seconds, with mean service time `service`; infinite where the
/// servers cannot keep up.
pub fn mean_wait(servers: u32, load: f64, service: f64) -> f64 {
    let c = f64::from(servers.max(1));
    if load >= c { f64::INFINITY } else { chance_to_wait(servers, load) * service / (c - load) }
}

/// The chance to wait longer than `seconds`: `C × exp(−(c − load) × seconds / service)`.
pub fn chance_to_wait_longer(servers: u32, load: f64, service: f64, seconds: f64) -> f64 {
    let c = f64::from(servers.max(1));
    chance_to_wait(servers, load) * (-(c - load).max(0.0) * seconds / service).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tables of Erlang C in any textbook: 10 servers at 7 erlang 0.2217, 5 at 4 0.5541, and
    /// a single server waits as often as it is busy.
    #[test]
    fn published_values_come_out() {
        for (servers, load, expected) in
            [(1, 0.5, 0.5), (2, 1.0, 1.0 / 3.0), (5, 4.0, 0.5541), (10, 7.0, 0.2217)]
        {
            assert!((chance_to_wait(servers, load) - expected).abs() < 1e-4, "{servers} {load}");
        }
        // M/M/1 at half load: as long in the queue as in service.
        assert!((mean_wait(1, 0.5, 0.2) - 0.2).abs() < 1e-12);
        assert!((chance_to_wait_longer(1, 0.5, 1.0, 2.0) - 0.5 * (-1.0f64).exp()).abs() < 1e-12);
    }

    #[test]
    fn beyond_capacity_everybody_waits_for_ever() {
        assert_eq!(chance_to_wait(3, 3.0), 1.0);
        assert_eq!(mean_wait(3, 3.5, 0.1), f64::INFINITY);
        assert_eq!(chance_to_wait(2000, 0.0), 0.0);
    }
}
