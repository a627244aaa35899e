//! Hashes and signature checks.

use std::borrow::Cow;

use grs_hashes::purpose;

use super::encoding::{check_public_key_encoding, check_signature_encoding};
use super::eval::{Machine, Step};
use super::{ScriptExecutionData, SigVersion};
use crate::builder::starts_with_push;
use crate::opcodes::*;
use crate::{
    Instructions, MAX_OPS_PER_SCRIPT, MAX_PUBKEYS_PER_MULTISIG, ScriptError, ScriptFlags, ScriptNum,
    SignatureChecker, VALIDATION_WEIGHT_PER_SIGOP_PASSED,
};

/// Removes every push of `signature` that begins at an instruction's start. `None` when there is none.
/// Reference: `FindAndDelete`.
fn find_and_delete(script: &[u8], signature: &[u8]) -> Option<Vec<u8>> {
    let mut out: Option<Vec<u8>> = None;
    let (mut at, mut copied) = (0, 0);
    loop {
        if let Some(out) = &mut out {
            out.extend_from_slice(&script[copied..at]);
            copied = at;
        }
        while let Some(len) = starts_with_push(&script[at..], signature) {
            out.get_or_insert_with(|| script[..at].to_vec());
            at += len;
            copied = at;
        }
        let mut next = Instructions::new(&script[at..]);
        let Some(Ok(_)) = next.next() else { break };
        at += next.position();
    }
    if let Some(out) = &mut out {
        out.extend_from_slice(&script[copied..]);
    }
    out
}

/// Rules that do not change while a script runs.
#[derive(Clone, Copy)]
struct Rules {
    flags: ScriptFlags,
    version: SigVersion,
}

impl Rules {
    /// The script that a signature covers: before segwit without the signature itself.
    fn remove_signature(self, code: &mut Cow<'_, [u8]>, signature: &[u8]) -> Step {
        if self.version == SigVersion::Base
            && let Some(rest) = find_and_delete(code, signature)
        {
            if self.flags.has(ScriptFlags::CONST_SCRIPTCODE) {
                return Err(ScriptError::SigFindAndDelete);
            }
            *code = Cow::Owned(rest);
        }
        Ok(())
    }

    fn check_encodings(self, signature: &[u8], key: &[u8]) -> Step {
        check_signature_encoding(signature, self.flags)?;
        check_public_key_encoding(key, self.flags, self.version)
    }

    /// Reference: `EvalChecksigPreTapscript`.
    fn ecdsa(
        self,
        signature: &[u8],
        key: &[u8],
        code: &[u8],
        checker: &mut dyn SignatureChecker,
    ) -> Result<bool, ScriptError> {
        let mut code = Cow::Borrowed(code);
        self.remove_signature(&mut code, signature)?;
        self.check_encodings(signature, key)?;
        let ok = checker.check_ecdsa_signature(signature, key, &code, self.version);
        if !ok && self.flags.has(ScriptFlags::NULLFAIL) && !signature.is_empty() {
            return Err(ScriptError::SigNullFail);
        }
        Ok(ok)
    }

    /// Unknown kinds of keys pass, but their signatures take from the budget as well.
    /// Reference: `EvalChecksigTapscript`.
    fn schnorr(
        self,
        signature: &[u8],
        key: &[u8],
        exec: &mut ScriptExecutionData,
        checker: &mut dyn SignatureChecker,
    ) -> Result<bool, ScriptError> {
        let success = !signature.is_empty();
        if success {
            exec.validation_weight_left -= VALIDATION_WEIGHT_PER_SIGOP_PASSED;
            if exec.validation_weight_left < 0 {
                return Err(ScriptError::TapscriptValidationWeight);
            }
        }
        if key.is_empty() {
            return Err(ScriptError::TapscriptEmptyPubkey);
        }
        if let Ok(key) = key.try_into() {
            if success {
                checker.check_schnorr_signature(signature, key, self.version, exec)?;
            }
        } else if self.flags.has(ScriptFlags::DISCOURAGE_UPGRADABLE_PUBKEYTYPE) {
            return Err(ScriptError::DiscourageUpgradablePubkeyType);
        }
        Ok(success)
    }
}

impl Machine<'_> {
    fn rules(&self) -> Rules {
        Rules { flags: self.flags, version: self.version }
    }

    pub(super) fn hash(&mut self, opcode: u8) -> Step {
        let element = self.stack.last_mut().ok_or(ScriptError::InvalidStackOperation)?;
        match opcode {
            OP_RIPEMD160 => set(element, &purpose::ripemd160(element)),
            OP_SHA1 => set(element, &purpose::sha1(element)),
            OP_SHA256 => set(element, &purpose::sha256(element)),
            OP_HASH160 => set(element, purpose::hash160(element).as_bytes()),
            OP_HASH256 => set(element, &purpose::op_hash256(element)),
            _ => return Err(ScriptError::BadOpcode),
        }
        Ok(())
    }

    /// Checks the signature and the key at these places from the top. Reference: `EvalChecksig`.
    fn eval_check_sig(&mut self, signature: usize, key: usize) -> Result<bool, ScriptError> {
        let (rules, len) = (self.rules(), self.stack.len());
        let (signature, key) = (&self.stack[len - signature], &self.stack[len - key]);
        if self.version == SigVersion::Tapscript {
            return rules.schnorr(signature, key, self.exec, self.checker);
        }
        rules.ecdsa(signature, key, &self.script[self.code_start..], self.checker)
    }

    pub(super) fn check_sig(&mut self, verify: bool) -> Step {
        self.need(2)?;
        let ok = self.eval_check_sig(2, 1)?;
        self.drop(2);
        self.push_result(ok, verify, ScriptError::CheckSigVerify)
    }

    pub(super) fn check_sig_add(&mut self) -> Step {
        if self.version != SigVersion::Tapscript {
            return Err(ScriptError::BadOpcode);
        }
        self.need(3)?;
        let n = self.number(2, ScriptNum::DEFAULT_MAX_SIZE)?;
        let ok = self.eval_check_sig(3, 1)?;
        self.drop(3);
        self.push_number(n.0 + i64::from(ok));
        Ok(())
    }

    /// `<dummy> <signatures> <count> <keys> <count>`.
    pub(super) fn check_multisig(&mut self, verify: bool) -> Step {
        if self.version == SigVersion::Tapscript {
            return Err(ScriptError::TapscriptCheckMultisig);
        }
        let count = |n: ScriptNum, max: usize| usize::try_from(n.0).ok().filter(|n| *n <= max);
        self.need(1)?;
        let n = self.number(1, ScriptNum::DEFAULT_MAX_SIZE)?;
        let keys = count(n, MAX_PUBKEYS_PER_MULTISIG).ok_or(ScriptError::PubkeyCount)?;
        self.op_count += keys;
        if self.op_count > MAX_OPS_PER_SCRIPT {
            return Err(ScriptError::OpCount);
        }
        self.need(keys + 2)?;
        let n = self.number(keys + 2, ScriptNum::DEFAULT_MAX_SIZE)?;
        let signatures = count(n, keys).ok_or(ScriptError::SigCount)?;
        // The superfluous argument included.
        let arguments = keys + signatures + 3;
        self.need(arguments)?;

        let ok = self.match_signatures(keys, signatures)?;
        let base = self.stack.len() - arguments;
        let signature_range = base + 1..base + 1 + signatures;
        if !ok
            && self.flags.has(ScriptFlags::NULLFAIL)
            && self.stack[signature_range].iter().any(|s| !s.is_empty())
        {
            return Err(ScriptError::SigNullFail);
        }
        if self.flags.has(ScriptFlags::NULLDUMMY) && !self.stack[base].is_empty() {
            return Err(ScriptError::SigNullDummy);
        }
        self.stack.truncate(base);
        self.push_result(ok, verify, ScriptError::CheckMultisigVerify)
    }

    /// True when the signatures belong to keys in the same order. Keys and signatures are tried from the top of
    /// the stack; encodings are checked only of those tried.
    fn match_signatures(&mut self, keys: usize, signatures: usize) -> Result<bool, ScriptError> {
        let (rules, len) = (self.rules(), self.stack.len());
        let mut code = Cow::Borrowed(&self.script[self.code_start..]);
        let (first_key, first_signature) = (2, keys + 3);
        for k in 0..signatures {
            rules.remove_signature(&mut code, &self.stack[len - first_signature - k])?;
        }
        let (mut key, mut signature) = (0, 0);
        while signature < signatures {
            // Too few keys left for the signatures left.
            if signatures - signature > keys - key {
                return Ok(false);
            }
            let sig_bytes = &self.stack[len - first_signature - signature];
            let key_bytes = &self.stack[len - first_key - key];
            rules.check_encodings(sig_bytes, key_bytes)?;
            if self.checker.check_ecdsa_signature(sig_bytes, key_bytes, &code, self.version) {
                signature += 1;
            }
            key += 1;
        }
        Ok(true)
    }
}

fn set(element: &mut Vec<u8>, hash: &[u8]) {
    element.clear();
    element.extend_from_slice(hash);
}

#[cfg(test)]
mod tests {
    use super::find_and_delete;

    #[test]
    fn deletes_pushes_at_instruction_starts_only() {
        // Signature `aa`: its push is 01 aa.
        assert_eq!(find_and_delete(&[0x01, 0xaa, 0xac], &[0xaa]), Some(vec![0xac]));
        assert_eq!(find_and_delete(&[0x51, 0x01, 0xaa, 0x01, 0xaa, 0x52], &[0xaa]), Some(vec![0x51, 0x52]));
        // Inside a push it stays.
        assert_eq!(find_and_delete(&[0x02, 0x01, 0xaa, 0xac], &[0xaa]), None);
        // Deleting moves the next instruction's start: what follows is read from there.
        assert_eq!(
            find_and_delete(&[0x02, 0x01, 0xaa, 0x01, 0xaa, 0x03, 0x01], &[0xaa]),
            Some(vec![0x02, 0x01, 0xaa, 0x03, 0x01])
        );
        // The empty signature is OP_0.
        assert_eq!(find_and_delete(&[0x00, 0x51, 0x00], &[]), Some(vec![0x51]));
        // Behind a cut push nothing is looked at.
        assert_eq!(find_and_delete(&[0x4c, 0x05, 0x01, 0xaa], &[0xaa]), None);
        assert_eq!(find_and_delete(&[], &[0xaa]), None);
    }
}
