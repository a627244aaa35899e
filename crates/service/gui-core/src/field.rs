//! A field of a form: what the user typed, and what is wrong with it.

/// Text of a field, and the text to show beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Field {
    /// As typed.
    pub text: String,
    /// What is wrong, if the user should know by now.
    pub error: Option<String>,
    touched: bool,
}

impl Field {
    /// A field that holds a text.
    pub fn new(text: impl Into<String>) -> Field {
        Field { text: text.into(), ..Field::default() }
    }

    /// The user has left the field or wants to go on: from now on it says what is wrong.
    pub fn touch(&mut self) {
        self.touched = true;
    }

    /// Takes the verdict on the text. An empty field that nobody has touched is not wrong yet.
    pub fn judge<T>(&mut self, verdict: Result<T, String>) -> Option<T> {
        match verdict {
            Ok(value) => {
                self.error = None;
                Some(value)
            }
            Err(error) => {
                self.error = (self.touched || !self.text.is_empty()).then_some(error);
                None
            }
        }
    }

    /// Empties it.
    pub fn clear(&mut self) {
        *self = Field::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_untouched_empty_field_is_silent() {
        let mut field = Field::default();
        let wrong = || Err::<(), _>("wrong".to_owned());
        assert_eq!(field.judge(wrong()), None);
        assert_eq!(field.error, None);
        field.touch();
        field.judge(wrong());
        assert_eq!(field.error.as_deref(), Some("wrong"));
        assert_eq!(field.judge(Ok(5)), Some(5));
        assert_eq!(field.error, None);
    }
}
