//! Layout of the help (reference: `HelpMessageGroup`, `HelpMessageOpt`, `FormatParagraph`).

use crate::OptionsCategory;

const SCREEN_WIDTH: usize = 79;
const OPTION_INDENT: usize = 2;
const TEXT_INDENT: usize = 7;

/// A group's title.
pub fn help_message_group(title: &str) -> String {
    format!("{title}\n\n")
}

/// An option and its text.
pub fn help_message_opt(option: &str, text: &str) -> String {
    let text = format_paragraph(text, SCREEN_WIDTH - TEXT_INDENT, TEXT_INDENT);
    format!("{:OPTION_INDENT$}{option}\n{:TEXT_INDENT$}{text}\n\n", "", "")
}

/// Title of a category, if the help shows it.
pub(crate) fn title(category: OptionsCategory, show_debug: bool) -> Option<&'static str> {
    Some(match category {
        OptionsCategory::Options => "Options:",
        OptionsCategory::Connection => "Connection options:",
        OptionsCategory::Zmq => "ZeroMQ notification options:",
        OptionsCategory::DebugTest => "Debugging/Testing options:",
        OptionsCategory::NodeRelay => "Node relay options:",
        OptionsCategory::BlockCreation => "Block creation options:",
        OptionsCategory::Rpc => "RPC server options:",
        OptionsCategory::Ipc => "IPC interprocess connection options:",
        OptionsCategory::Wallet => "Wallet options:",
        OptionsCategory::WalletDebugTest if show_debug => "Wallet debugging/testing options:",
        OptionsCategory::ChainParams => "Chain selection options:",
        OptionsCategory::Gui => "UI Options:",
        OptionsCategory::Commands => "Commands:",
        OptionsCategory::RegisterCommands => "Register Commands:",
        OptionsCategory::CliCommands => "CLI Commands:",
        OptionsCategory::WalletDebugTest | OptionsCategory::Hidden => return None,
    })
}

/// Breaks text into lines. Like the reference, a continued line counts its indent against the width again.
fn format_paragraph(text: &str, width: usize, indent: usize) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut indented = 0;
    while !rest.is_empty() {
        let line_end = rest.find('\n').unwrap_or(rest.len());
        let room = width - indented;
        if line_end <= room {
            let end = (line_end + 1).min(rest.len());
            out.push_str(&rest[..end]);
            rest = &rest[end..];
            indented = 0;
            continue;
        }
        let is_break = |(_, byte): &(usize, &u8)| matches!(byte, b' ' | b'\n');
        let bytes = rest.as_bytes();
        let before = bytes.iter().enumerate().take(room + 1).rfind(is_break);
        // A word longer than the line stands as it is.
        let Some((at, &byte)) = before.or_else(|| bytes.iter().enumerate().find(is_break)) else {
            out.push_str(rest);
            break;
        };
        out.push_str(&rest[..at]);
        out.push('\n');
        if byte == b'\n' {
            indented = 0;
        } else {
            out.extend(std::iter::repeat_n(' ', indent));
            indented = indent;
        }
        rest = &rest[at + 1..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs() {
        assert_eq!(format_paragraph("", 79, 0), "");
        assert_eq!(format_paragraph("test", 79, 0), "test");
        assert_eq!(format_paragraph(" test", 79, 0), " test");
        assert_eq!(format_paragraph("test test", 79, 0), "test test");
        assert_eq!(format_paragraph("test test", 4, 0), "test\ntest");
        assert_eq!(format_paragraph("testerde test", 4, 0), "testerde\ntest");
        assert_eq!(format_paragraph("test test", 4, 4), "test\n    test");
        assert_eq!(format_paragraph("a\nbb cc", 4, 2), "a\nbb\n  cc");
        assert_eq!(format_paragraph("toolongword", 4, 2), "toolongword");
    }

    #[test]
    fn option_layout() {
        assert_eq!(help_message_opt("-x=<n>", "Text"), "  -x=<n>\n       Text\n\n");
        let long = "word ".repeat(30);
        for line in help_message_opt("-x", long.trim_end()).lines().skip(1) {
            assert!(line.is_empty() || (line.starts_with("       w") && line.len() <= 79));
        }
    }
}
