//! How good something is, in one word.

/// How one resource does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Nobody said what is needed.
    Unknown,
    /// Twice what is needed, or more.
    Excellent,
    /// Enough.
    Sufficient,
    /// Enough, with little to spare.
    Marginal,
    /// Not enough.
    Insufficient,
}

impl Status {
    /// As it is written in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Excellent => "excellent",
            Self::Sufficient => "sufficient",
            Self::Marginal => "marginal",
            Self::Insufficient => "insufficient",
        }
    }
}
