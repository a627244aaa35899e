//! The picture while the node starts: who this is, and what is being done.

use grs_params::Network;

use crate::pages::about::VERSION;
use crate::texts::Text;
use crate::validate::network_name;
use crate::view::{Link, View};

/// What the picture shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splash {
    /// Name of the program.
    pub title: &'static str,
    /// Version in words.
    pub version: String,
    /// The network, unless it is the main one.
    pub network: Option<&'static str>,
    /// What is being done.
    pub message: String,
    /// Share that is done, in percent, if it is known.
    pub percent: Option<u8>,
    /// How to stop (key Q: [`crate::App::quit`]).
    pub hint: &'static str,
}

/// What to show; `None` once there is a window to show instead, or nothing any more. `network` is that of the options, as
/// the node has not answered yet.
pub fn splash(view: &View, network: Network) -> Option<Splash> {
    let stopping = match view.link {
        Link::Connecting => false,
        // Stopped before it ran: the window has nothing to show.
        Link::Stopping if view.wallet.is_none() => true,
        _ => return None,
    };
    let node = view.node.as_ref();
    let work = node.and_then(|node| node.progress.as_ref()).filter(|_| !stopping);
    let init = node.map(|node| node.init_message.as_str()).filter(|text| !text.is_empty());
    let message = match (stopping, work, init) {
        (true, ..) => Text::StatusStopping.s().to_owned(),
        (_, Some(work), _) => match work.percent {
            Some(percent) => Text::SplashProgress.with(&[("title", &work.title), ("percent", &percent)]),
            None => work.title.clone(),
        },
        (_, None, Some(text)) => text.to_owned(),
        (_, None, None) => Text::StatusConnecting.s().to_owned(),
    };
    Some(Splash {
        title: Text::ProgramName.s(),
        version: Text::SplashVersion.with(&[("version", &VERSION)]),
        network: (network != Network::Main).then(|| network_name(network)),
        message,
        percent: work.and_then(|work| work.percent),
        hint: if stopping { "" } else { Text::SplashHint.s() },
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use grs_interfaces::gui::{NodeSnapshot, ProgressMessage};

    use super::*;
    use crate::view::WalletView;

    #[test]
    fn it_says_what_is_being_done_until_the_node_runs() {
        let mut view = View::default();
        let shown = splash(&view, Network::Main).unwrap();
        assert_eq!(
            (shown.message.as_str(), shown.network, shown.percent),
            ("Connecting with the node…", None, None)
        );
        assert!(shown.version.contains(VERSION) && shown.hint.contains('Q'));
        let mut node =
            NodeSnapshot { init_message: "Loading block index…".into(), ..NodeSnapshot::default() };
        view.node = Some(Arc::new(node.clone()));
        let shown = splash(&view, Network::Regtest).unwrap();
        assert_eq!((shown.message.as_str(), shown.network), ("Loading block index…", Some("regtest")));
        node.progress = Some(ProgressMessage { title: "Verifying blocks…".into(), percent: Some(40) });
        view.node = Some(Arc::new(node));
        let shown = splash(&view, Network::Main).unwrap();
        assert_eq!((shown.message.as_str(), shown.percent), ("Verifying blocks… 40 %", Some(40)));
        view.link = Link::Stopping;
        let shown = splash(&view, Network::Main).unwrap();
        assert_eq!((shown.message.as_str(), shown.percent, shown.hint), ("Closing…", None, ""));
        view.wallet = Some(Arc::new(WalletView::default()));
        assert_eq!(splash(&view, Network::Main), None);
        for link in [Link::Running, Link::Failed("x".into()), Link::Closed] {
            assert_eq!(splash(&View { link, ..View::default() }, Network::Main), None);
        }
    }
}
