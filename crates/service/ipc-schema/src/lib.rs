//! Cap'n Proto schemas and generated code.
