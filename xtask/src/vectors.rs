//! What the vector tests reported.

use crate::Findings;

/// Reads the lines that `grs-testkit` appended during `cargo test`: nothing may have been skipped, and at least
/// one case must have run in all.
pub fn report(path: &str) -> Result<Findings, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
    let mut findings: Findings =
        text.lines().filter(|l| l.starts_with("skipped")).map(str::to_owned).collect();
    let cases: Vec<(&str, usize)> = text
        .lines()
        .filter_map(|l| {
            let (name, count) = l.strip_prefix("vectors: ")?.rsplit_once(": ")?;
            Some((name, count.strip_suffix(" cases")?.parse().ok()?))
        })
        .collect();
    if cases.is_empty() {
        findings.push("no vector test reported a case".into());
    }
    findings.extend(cases.iter().filter(|(_, n)| *n == 0).map(|(name, _)| format!("{name} ran no case")));
    println!("vectors: {} files, {} cases", cases.len(), cases.iter().map(|(_, n)| n).sum::<usize>());
    Ok(findings)
}
