//! What inputs are taken for, and what stands in the way.

use super::*;
