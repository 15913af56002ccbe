//! The search and the installation in made-up surroundings: scripts stand for Python, pip and uv.

mod finding;
mod fixture;
mod installing;
mod remembering;
