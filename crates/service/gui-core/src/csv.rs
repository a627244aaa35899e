//! Export of the list of transactions as CSV (RFC 4180).

use std::io::{self, Write};
use std::path::Path;

use grs_interfaces::gui::{PAGE_LIMIT, TxPage, TxQuery, TxRow, TxStatus};
use jiff::tz::TimeZone;

use crate::amount::{Grouping, Style, format};
use crate::format::iso_time_in;
use crate::pages::transactions::kind_name;
use crate::texts::Text;
use crate::view::CsvExport;

/// Times that an export begins again because the list has changed under it.
const MOST_RESTARTS: u32 = 5;

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn line(fields: &[String]) -> String {
    let fields: Vec<String> = fields.iter().map(|f| quoted(f)).collect();
    format!("{}\r\n", fields.join(","))
}

fn header(export: &CsvExport) -> String {
    line(&[
        Text::CsvConfirmed.s().to_owned(),
        Text::CsvDate.s().to_owned(),
        Text::CsvType.s().to_owned(),
        Text::CsvLabel.s().to_owned(),
        Text::CsvAddress.s().to_owned(),
        Text::CsvAmount.with(&[("unit", &export.unit.short_name())]),
        Text::CsvId.s().to_owned(),
    ])
}

fn row_line(row: &TxRow, export: &CsvExport, zone: &TimeZone) -> String {
    let confirmed = matches!(row.status, TxStatus::Confirmed { .. } | TxStatus::Confirming { .. });
    line(&[
        confirmed.to_string(),
        iso_time_in(row.time, zone),
        kind_name(row.kind).to_owned(),
        row.label.clone(),
        row.address.clone(),
        format(export.unit, row.amount, Style { grouping: Grouping::Never, plus: false }),
        row.txid.to_string(),
    ])
}

/// Writes all rows that pass the filter; `page` reads a page. The file is there as a whole or not at all. Answers the
/// number of rows, or the error for the user.
pub fn export(
    export: &CsvExport,
    page: &mut dyn FnMut(&TxQuery) -> Result<TxPage, String>,
) -> Result<u32, String> {
    let folder = export.path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = export.path.file_name().ok_or_else(|| Text::ExportNoName.s().to_owned())?;
    if !export.overwrite && export.path.exists() {
        return Err(Text::ExportExists.s().to_owned());
    }
    let mut temp_name = name.to_owned();
    temp_name.push(".part");
    let temp = folder.join(temp_name);
    let result = write(export, &temp, page).and_then(|rows| {
        std::fs::rename(&temp, &export.path).map_err(|e| e.to_string())?;
        Ok(rows)
    });
    if result.is_err() {
        // What is left of a failed export is of no use.
        let _ = std::fs::remove_file(&temp);
    }
    result
}

fn write(
    export: &CsvExport,
    temp: &Path,
    page: &mut dyn FnMut(&TxQuery) -> Result<TxPage, String>,
) -> Result<u32, String> {
    let text = |e: io::Error| e.to_string();
    'again: for _ in 0..MOST_RESTARTS {
        let mut file = io::BufWriter::new(std::fs::File::create(temp).map_err(text)?);
        file.write_all(header(export).as_bytes()).map_err(text)?;
        let zone = TimeZone::system();
        let mut query =
            TxQuery { filter: export.filter.clone(), sort: export.sort, offset: 0, limit: PAGE_LIMIT };
        let mut version = None;
        loop {
            let page = page(&query)?;
            if version.is_some_and(|version| version != page.version) {
                continue 'again;
            }
            version = Some(page.version);
            for row in &page.rows {
                file.write_all(row_line(row, export, &zone).as_bytes()).map_err(text)?;
            }
            query.offset = query.offset.saturating_add(page.rows.len() as u32);
            if page.rows.is_empty() || query.offset >= page.matching {
                break;
            }
        }
        file.into_inner().map_err(|e| e.to_string())?.sync_all().map_err(text)?;
        return Ok(query.offset);
    }
    Err(Text::ExportChanging.s().to_owned())
}

#[cfg(test)]
mod tests {
    use grs_hashes::Txid;
    use grs_interfaces::gui::{TxFilter, TxKind, TxSort};

    use super::*;
    use crate::amount::Unit;

    fn row(n: u32) -> TxRow {
        TxRow {
            txid: Txid::from_bytes([n as u8; 32]),
            index: 0,
            time: 1_395_342_829 + i64::from(n),
            kind: TxKind::Received,
            status: TxStatus::Confirmed { depth: 10 },
            label: if n == 0 { "a \"b\", c".into() } else { String::new() },
            address: "addr".into(),
            amount: -1_234_500_000_000,
        }
    }

    fn paged(query: &TxQuery, rows: u32, version: u64) -> TxPage {
        let end = (query.offset + query.limit).min(rows);
        TxPage {
            offset: query.offset,
            rows: (query.offset..end).map(row).collect(),
            matching: rows,
            total: rows,
            sum: 0,
            version,
        }
    }

    #[test]
    fn all_pages_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list.csv");
        let what = CsvExport {
            path: path.clone(),
            filter: TxFilter::default(),
            sort: TxSort::default(),
            unit: Unit::Grs,
            overwrite: false,
        };
        let mut calls = 0;
        let count = export(&what, &mut |query| {
            calls += 1;
            // The list changes once while it is read.
            Ok(paged(query, 450, if calls < 2 { 1 } else { 2 }))
        });
        assert_eq!((count, calls), (Ok(450), 5));
        assert_eq!(export(&what, &mut |q| Ok(paged(q, 1, 1))), Err(Text::ExportExists.s().to_owned()));
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines.len(), 452);
        assert_eq!(lines[0], "\"Confirmed\",\"Date\",\"Type\",\"Label\",\"Address\",\"Amount (GRS)\",\"ID\"");
        assert!(lines[1].contains("\"a \"\"b\"\", c\",\"addr\",\"-12345.00000000\""), "{}", lines[1]);
        let again = CsvExport { overwrite: true, ..what };
        assert_eq!(export(&again, &mut |q| Ok(paged(q, 1, 1))), Ok(1));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn nothing_is_left_of_a_failed_export() {
        let dir = tempfile::tempdir().unwrap();
        let what = |name: &str| CsvExport {
            path: dir.path().join(name),
            filter: TxFilter::default(),
            sort: TxSort::default(),
            unit: Unit::Gro,
            overwrite: false,
        };
        assert_eq!(export(&what("x"), &mut |_| Err("gone".into())), Err("gone".into()));
        let mut version = 0;
        let changing = export(&what("x"), &mut |query| {
            version += 1;
            Ok(paged(query, 450, version))
        });
        assert_eq!(changing, Err(Text::ExportChanging.s().to_owned()));
        assert!(export(&what("no/such/folder"), &mut |q| Ok(paged(q, 1, 1))).is_err());
        assert!(export(&what(".."), &mut |q| Ok(paged(q, 1, 1))).is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
