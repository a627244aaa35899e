//! About: program, version, licence.

use crate::texts::Text;
use crate::view::View;

/// Version of the programs.
pub const VERSION: &str = "v31.0.0";
/// Where the project lives.
pub const WEBSITE: &str = "https://www.groestlcoin.org/";

/// The paragraphs.
pub fn paragraphs(view: &View) -> Vec<String> {
    let mut out = vec![Text::AboutProgram.with(&[("version", &VERSION)])];
    if let Some(info) = &view.info {
        out.push(Text::AboutNode.with(&[
            ("name", &info.client_name),
            ("version", &info.version),
            ("agent", &info.user_agent),
        ]));
    }
    out.push(Text::AboutWhat.s().to_owned());
    out.push(Text::AboutLicence.s().to_owned());
    out
}
