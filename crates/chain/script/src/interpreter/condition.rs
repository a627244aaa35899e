/// The nesting of `OP_IF`. Only two things can be observed, so only they are kept: the depth, and where the
/// first branch is that does not run.
#[derive(Default)]
pub(super) struct ConditionStack {
    depth: usize,
    first_false: Option<usize>,
}

impl ConditionStack {
    pub(super) fn is_empty(&self) -> bool {
        self.depth == 0
    }

    pub(super) fn all_true(&self) -> bool {
        self.first_false.is_none()
    }

    pub(super) fn push(&mut self, value: bool) {
        if !value && self.first_false.is_none() {
            self.first_false = Some(self.depth);
        }
        self.depth += 1;
    }

    /// False when empty.
    pub(super) fn pop(&mut self) -> bool {
        let Some(depth) = self.depth.checked_sub(1) else { return false };
        self.depth = depth;
        if self.first_false == Some(depth) {
            self.first_false = None;
        }
        true
    }

    /// False when empty.
    pub(super) fn toggle_top(&mut self) -> bool {
        let Some(top) = self.depth.checked_sub(1) else { return false };
        match self.first_false {
            None => self.first_false = Some(top),
            Some(at) if at == top => self.first_false = None,
            // Below a branch that does not run nothing can be seen.
            Some(_) => {}
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_a_vector_of_booleans(ops in proptest::collection::vec(0..4_u8, 0..200)) {
            let (mut fast, mut slow) = (ConditionStack::default(), Vec::<bool>::new());
            for op in ops {
                match op {
                    0 | 1 => { fast.push(op == 0); slow.push(op == 0); }
                    2 => prop_assert_eq!(fast.pop(), slow.pop().is_some()),
                    _ => {
                        let top = slow.last_mut().map(|t| *t = !*t);
                        prop_assert_eq!(fast.toggle_top(), top.is_some());
                    }
                }
                prop_assert_eq!(fast.is_empty(), slow.is_empty());
                prop_assert_eq!(fast.all_true(), slow.iter().all(|b| *b));
            }
        }
    }
}
