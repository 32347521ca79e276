//! Pages about services.
mod diagram;
mod facts;
mod html;
