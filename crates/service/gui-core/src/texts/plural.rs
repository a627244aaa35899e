//! Plural rules of languages, after Unicode CLDR.

/// Form of a text that depends on a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Category {
    /// A form for nothing.
    Zero,
    /// Singular.
    One,
    /// Dual.
    Two,
    /// A small number.
    Few,
    /// A large number.
    Many,
    /// All else.
    Other,
}

impl Category {
    const ALL: [(Category, &'static str); 6] = [
        (Category::Zero, "zero"),
        (Category::One, "one"),
        (Category::Two, "two"),
        (Category::Few, "few"),
        (Category::Many, "many"),
        (Category::Other, "other"),
    ];

    /// Name in a catalogue.
    pub fn name(self) -> &'static str {
        Category::ALL.iter().find(|(category, _)| *category == self).map_or("other", |(_, name)| name)
    }

    /// The category of a name.
    pub fn from_name(name: &str) -> Option<Category> {
        Category::ALL.iter().find(|(_, known)| *known == name).map(|(category, _)| *category)
    }
}

/// How a language chooses the form for a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// No forms: Chinese, Japanese, Korean, Vietnamese.
    Other,
    /// One and other: English, German, Dutch, Spanish, Italian, Greek.
    OneOther,
    /// As before, with zero like one: French, Brazilian Portuguese.
    ZeroOneOther,
    /// Russian, Ukrainian, Serbian.
    Slavic,
    /// Polish.
    Polish,
    /// Czech, Slovak.
    Czech,
    /// Arabic.
    Arabic,
}

impl Rule {
    /// The form for `n`.
    pub fn category(self, n: u64) -> Category {
        let (ten, hundred) = (n % 10, n % 100);
        let teens = (11..=14).contains(&hundred);
        match self {
            Rule::Other => Category::Other,
            Rule::OneOther if n == 1 => Category::One,
            Rule::ZeroOneOther if n <= 1 => Category::One,
            Rule::Slavic if ten == 1 && !teens => Category::One,
            Rule::Polish if n == 1 => Category::One,
            Rule::Slavic | Rule::Polish if (2..=4).contains(&ten) && !teens => Category::Few,
            Rule::Slavic | Rule::Polish => Category::Many,
            Rule::Czech if n == 1 => Category::One,
            Rule::Czech if (2..=4).contains(&n) => Category::Few,
            Rule::Arabic => match (n, hundred) {
                (0, _) => Category::Zero,
                (1, _) => Category::One,
                (2, _) => Category::Two,
                (_, 3..=10) => Category::Few,
                (_, 11..=99) => Category::Many,
                _ => Category::Other,
            },
            Rule::OneOther | Rule::ZeroOneOther | Rule::Czech => Category::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_numbers() {
        let forms = |rule: Rule, numbers: &[u64]| -> String {
            numbers.iter().map(|n| format!("{} ", rule.category(*n).name())).collect()
        };
        assert_eq!(forms(Rule::Other, &[0, 1, 2]), "other other other ");
        assert_eq!(forms(Rule::OneOther, &[0, 1, 2, 21]), "other one other other ");
        assert_eq!(forms(Rule::ZeroOneOther, &[0, 1, 2]), "one one other ");
        assert_eq!(
            forms(Rule::Slavic, &[1, 2, 5, 11, 12, 21, 22, 111]),
            "one few many many many one few many "
        );
        assert_eq!(forms(Rule::Polish, &[1, 2, 5, 12, 21, 22]), "one few many many many few ");
        assert_eq!(forms(Rule::Czech, &[1, 2, 5, 22]), "one few other other ");
        assert_eq!(forms(Rule::Arabic, &[0, 1, 2, 3, 11, 100, 103]), "zero one two few many other few ");
    }
}
