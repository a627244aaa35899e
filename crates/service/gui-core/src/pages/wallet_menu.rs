//! Wallets: create, open, close.

use grs_interfaces::SecureString;
use grs_interfaces::gui::{NewWallet, WalletEntry};

use crate::field::Field;
use crate::pages::status::wallet_title;
use crate::texts::Text;
use crate::validate;
use crate::view::{ActionId, Backend, Command, Reply, View};

/// Longest passphrase in bytes.
pub const LONGEST_PASSPHRASE: usize = 1024;

/// The form for a new wallet.
#[derive(Default)]
pub struct CreateForm {
    /// Name.
    pub name: Field,
    /// Encrypt the keys.
    pub encrypt: bool,
    /// Passphrase.
    pub passphrase: Field,
    /// The passphrase once more.
    pub repeat: Field,
    /// A wallet that can only watch.
    pub disable_private_keys: bool,
    /// A wallet without keys at first.
    pub blank: bool,
}

impl std::fmt::Debug for CreateForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreateForm")
            .field("name", &self.name)
            .field("encrypt", &self.encrypt)
            .finish_non_exhaustive()
    }
}

impl CreateForm {
    /// Options that exclude one another go off: encrypted or blank wallets have keys.
    pub fn settle(&mut self, changed: CreateOption) {
        match changed {
            CreateOption::Encrypt if self.encrypt => self.disable_private_keys = false,
            CreateOption::Blank if self.blank => self.disable_private_keys = false,
            CreateOption::DisableKeys if self.disable_private_keys => {
                (self.encrypt, self.blank) = (false, false)
            }
            _ => {}
        }
    }

    fn check(&mut self, view: &View) -> Option<NewWallet> {
        let taken: Vec<&str> = view.wallet_entries.iter().map(|e| e.name.as_str()).collect();
        let verdict = validate::wallet_name(&self.name.text, &taken);
        let name = self.name.judge(verdict);
        let passphrase = self.check_passphrase();
        Some(NewWallet {
            name: name?,
            passphrase: passphrase?,
            disable_private_keys: self.disable_private_keys,
            blank: self.blank,
        })
    }

    fn check_passphrase(&mut self) -> Option<SecureString> {
        if !self.encrypt {
            (self.passphrase.error, self.repeat.error) = (None, None);
            return Some(SecureString::default());
        }
        let first = match self.passphrase.text.len() {
            0 => Err(Text::PassphraseEmpty.s().to_owned()),
            1..=LONGEST_PASSPHRASE => Ok(()),
            _ => Err(Text::TextTooLong.with(&[("most", &LONGEST_PASSPHRASE)])),
        };
        self.passphrase.judge(first)?;
        let same = self.passphrase.text == self.repeat.text;
        self.repeat.judge(if same { Ok(()) } else { Err(Text::PassphraseDiffers.s().to_owned()) })?;
        Some(SecureString::from(self.passphrase.text.as_str()))
    }
}

impl Drop for CreateForm {
    fn drop(&mut self) {
        for field in [&mut self.passphrase, &mut self.repeat] {
            drop(SecureString::new(std::mem::take(&mut field.text).into_bytes()));
        }
    }
}

/// An option of the form that the user changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateOption {
    /// [`CreateForm::encrypt`].
    Encrypt,
    /// [`CreateForm::disable_private_keys`].
    DisableKeys,
    /// [`CreateForm::blank`].
    Blank,
}

/// The menu.
#[derive(Debug, Default)]
pub struct WalletMenu {
    /// The form, while it is shown.
    pub create: Option<CreateForm>,
    /// Name of the wallet that is about to be closed, until the user confirms.
    pub closing: Option<String>,
    /// What the last action came to, or what went wrong.
    pub message: Option<String>,
    waiting: Option<(ActionId, Text)>,
}

impl WalletMenu {
    /// Shows the form for a new wallet.
    pub fn start_create(&mut self, backend: &dyn Backend) {
        self.create = Some(CreateForm::default());
        self.message = None;
        backend.send(Command::ListWallets);
    }

    /// Whether an action is under way.
    pub fn busy(&self) -> bool {
        self.waiting.is_some()
    }

    /// What is under way, for the user.
    pub fn progress(&self) -> Option<&'static str> {
        self.waiting.map(|(_, text)| text.s())
    }

    /// The user has read the message.
    pub fn dismiss(&mut self) {
        self.message = None;
    }

    /// Leaves the form for a new wallet, unless the wallet is being made.
    pub fn cancel_create(&mut self) {
        if !self.busy() {
            self.create = None;
            self.message = None;
        }
    }

    /// Checks the form while it is being filled in.
    pub fn check_create(&mut self, view: &View) -> bool {
        self.create.as_mut().is_some_and(|form| form.check(view).is_some())
    }

    /// Creates the wallet of the form; false if something is wrong.
    pub fn submit_create(&mut self, view: &View, backend: &dyn Backend) -> bool {
        let Some(form) = &mut self.create else { return false };
        for field in [&mut form.name, &mut form.passphrase, &mut form.repeat] {
            field.touch();
        }
        let Some(wallet) = form.check(view) else { return false };
        if self.waiting.is_some() {
            return false;
        }
        let id = backend.new_action();
        self.waiting = Some((id, Text::WalletCreating));
        self.message = None;
        backend.send(Command::CreateWallet(id, wallet));
        true
    }

    /// Wallets that can be opened, with whether that is possible now.
    pub fn entries(view: &View) -> impl Iterator<Item = (&WalletEntry, bool)> {
        view.wallet_entries.iter().map(|entry| (entry, !entry.loaded && entry.format == "sqlite"))
    }

    /// Opens a wallet.
    pub fn open(&mut self, name: &str, backend: &dyn Backend) {
        if self.waiting.is_none() {
            let id = backend.new_action();
            self.waiting = Some((id, Text::WalletOpening));
            self.message = None;
            backend.send(Command::OpenWallet(id, name.to_owned()));
        }
    }

    /// Asks whether to close the wallet that is shown.
    pub fn start_close(&mut self, view: &View) {
        self.closing = view.wallet_name().map(str::to_owned);
    }

    /// Text of the question.
    pub fn close_text(&self, view: &View) -> Option<String> {
        let name = self.closing.as_ref()?;
        let pruned = view.info.as_ref().is_some_and(|info| info.pruned);
        let text = if pruned { Text::CloseWalletPruned } else { Text::CloseWallet };
        Some(text.with(&[("wallet", &wallet_title(name))]))
    }

    /// Closes it.
    pub fn confirm_close(&mut self, backend: &dyn Backend) {
        if self.waiting.is_none()
            && let Some(name) = self.closing.take()
        {
            let id = backend.new_action();
            self.waiting = Some((id, Text::WalletClosing));
            backend.send(Command::CloseWallet(id, name));
        }
    }

    /// Takes replies in. Call it for each new view.
    pub fn refresh(&mut self, view: &View) {
        let Some(reply) = self.waiting.and_then(|(id, _)| view.reply(id)) else { return };
        self.waiting = None;
        match reply {
            Reply::Wallet { warnings, .. } => {
                self.create = None;
                self.message = (!warnings.is_empty()).then(|| warnings.join("\n"));
            }
            Reply::Failed(text) => self.message = Some(text.clone()),
            _ => self.message = None,
        }
    }
}
