//! Packages, version 3, ephemeral dust.

mod common;

use std::sync::Arc;

use common::{Node, REWARD, accepted, output, reason, refusal};
use grs_mempool::{AcceptResult, PackageErrorKind, PackageResult};
use grs_policy::FeeRate;
use grs_primitives::{Amount, Transaction, TxRef};

fn failure(result: &PackageResult) -> (PackageErrorKind, &str) {
    let error = result.error.as_ref().unwrap_or_else(|| panic!("{result:?}"));
    (error.kind, &error.reason)
}

fn of<'a>(result: &'a PackageResult, tx: &TxRef) -> &'a AcceptResult {
    &result.results[&tx.wtxid()]
}

#[test]
fn child_pays_for_parent() {
    let mut node = Node::new(3);
    let parent = node.spend(&[node.coins[0]], &[REWARD]);
    let child = node.spend(&[output(&parent, 0)], &[REWARD - 1000]);
    assert_eq!(reason(&node.accept(&parent)), "min relay fee not met");
    let result = node.package(&[parent.clone(), child.clone()]);
    assert_eq!(result.error, None);
    let (all, rate) = ([parent.wtxid(), child.wtxid()], FeeRate::of(Amount(1000), 220));
    for (tx, fee) in [(&parent, 0), (&child, 1000)] {
        let AcceptResult::Valid { base_fee, effective_feerate, effective_includes, vsize, .. } =
            of(&result, tx)
        else {
            panic!("{result:?}")
        };
        assert_eq!((*base_fee, *effective_feerate, *vsize), (Amount(fee), rate, 110));
        assert_eq!(effective_includes.as_slice(), all);
    }
    assert_eq!(node.take_events().len(), 2);

    // Again: both are there.
    let again = node.package(&[parent.clone(), child.clone()]);
    assert_eq!(again.error, None);
    assert!(matches!(of(&again, &parent), AcceptResult::AlreadyThere { vsize: 110, base_fee: Amount(0) }));
    let mut other = (**child).clone();
    other.inputs[0].witness.0[0][9] ^= 1;
    let other = Arc::new(Transaction::from(other));
    let again = node.package(&[parent.clone(), other.clone()]);
    assert!(
        matches!(of(&again, &other), AcceptResult::DifferentWitness { other } if *other == child.wtxid())
    );

    // Not enough together.
    let coin = node.coins.pop().unwrap();
    let parent = node.spend(&[coin], &[REWARD]);
    let child = node.spend(&[output(&parent, 0)], &[REWARD - 15]);
    let result = node.package(&[parent.clone(), child.clone()]);
    assert_eq!(failure(&result), (PackageErrorKind::Transaction, "transaction failed"));
    assert_eq!(refusal(of(&result, &parent)), ("min relay fee not met".into(), "0 < 11".into()));
    assert_eq!(refusal(of(&result, &child)), ("min relay fee not met".into(), "15 < 22".into()));
}

#[test]
fn forms_of_packages() {
    let mut node = Node::new(4);
    let (a, b) = (node.coin(), node.coin());
    let (one, two) = (node.spend(&[a], &[REWARD - 500]), node.spend(&[b], &[REWARD - 500]));
    let child = node.spend(&[output(&one, 0), output(&two, 0)], &[REWARD]);
    let policy = |reason| (PackageErrorKind::Policy, reason);
    let check = |txs: &[&TxRef]| node.package(&txs.iter().map(|t| (*t).clone()).collect::<Vec<_>>());
    assert_eq!(failure(&check(&[&child, &one])), policy("package-not-sorted"));
    assert_eq!(failure(&check(&[&one, &one])), policy("package-contains-duplicates"));
    assert_eq!(failure(&check(&[&one, &two])), policy("package-not-child-with-parents"));
    let rival = node.spend(&[a], &[REWARD - 700]);
    assert_eq!(failure(&check(&[&one, &rival])), policy("conflict-in-package"));
    let many = vec![one.clone(); 26];
    assert_eq!(failure(&node.package(&many)), policy("package-too-many-transactions"));
    assert!(check(&[&child, &one]).results.is_empty());

    // Testing takes any list, adds nothing, and refuses replacements.
    let result = node.test_package(&[one.clone(), two.clone(), child.clone()]);
    assert_eq!(result.error, None);
    assert_eq!(result.results.len(), 3);
    assert!(matches!(of(&result, &child), AcceptResult::Valid { base_fee: Amount(999_000), .. }));
    assert!(node.pool.lock().is_empty());
    accepted(&node.accept(&one));
    let result = node.test_package(&[rival.clone(), two.clone()]);
    assert_eq!(failure(&result), (PackageErrorKind::Transaction, "transaction failed"));
    assert_eq!(reason(of(&result, &rival)), "bip125-replacement-disallowed");
    assert_eq!(result.results.len(), 1);

    // One that is there, one alone, one that needs both.
    let result = check(&[&one, &two, &child]);
    assert_eq!(result.error, None);
    assert!(matches!(of(&result, &one), AcceptResult::AlreadyThere { .. }));
    assert!(of(&result, &two).is_valid() && of(&result, &child).is_valid());
}

#[test]
fn packages_replace() {
    let mut node = Node::new(2);
    let coin = node.coin();
    let old = node.spend(&[coin], &[REWARD - 2000]);
    accepted(&node.accept(&old));
    let parent = node.spend(&[coin], &[REWARD - 100]);
    let child = node.spend(&[output(&parent, 0)], &[REWARD - 1000]);
    let result = node.package(&[parent.clone(), child]);
    assert_eq!(
        failure(&result),
        (PackageErrorKind::Policy, "package RBF failed: insufficient anti-DoS fees")
    );
    assert_eq!(reason(of(&result, &parent)), "insufficient fee");
    let child = node.spend(&[output(&parent, 0)], &[REWARD - 9000]);
    let result = node.package(&[parent.clone(), child.clone()]);
    assert_eq!(result.error, None);
    let AcceptResult::Valid { replaced, .. } = of(&result, &parent) else { panic!("{result:?}") };
    assert_eq!(replaced[0].txid(), old.txid());
    assert!(matches!(of(&result, &child), AcceptResult::Valid { replaced, .. } if replaced.is_empty()));
}

#[test]
fn version_three_stays_small() {
    let mut node = Node::new(4);
    let (a, b) = (node.coin(), node.coin());
    let v3 = |tx: &mut grs_primitives::MutableTransaction| tx.version = 3;
    let parent = node.build(&[a], &[REWARD / 2, REWARD / 2 - 1000], v3);
    accepted(&node.accept(&parent));
    let mixed = node.spend(&[output(&parent, 0)], &[1000]);
    let name = |tx: &TxRef| format!("{} (wtxid={})", tx.txid(), tx.wtxid());
    let text = format!("non-version=3 tx {} cannot spend from version=3 tx {}", name(&mixed), name(&parent));
    assert_eq!(refusal(&node.accept(&mixed)), ("TRUC-violation".into(), text));

    let child = node.build(&[output(&parent, 0)], &[REWARD / 2 - 1000], v3);
    accepted(&node.accept(&child));
    // A second child has to pay for the first one's place.
    let sibling = node.build(&[output(&parent, 1)], &[REWARD / 2 - 1900], v3);
    let (why, _) = refusal(&node.accept(&sibling));
    assert_eq!(why, "insufficient fee (including sibling eviction)");
    let sibling = node.build(&[output(&parent, 1)], &[REWARD / 2 - 5000], v3);
    accepted(&node.accept(&sibling));
    assert!(!node.has(&child) && node.has(&sibling));
    let grandchild = node.build(&[output(&sibling, 0)], &[1000], v3);
    let text = format!("tx {} would have too many ancestors", name(&grandchild));
    assert_eq!(refusal(&node.accept(&grandchild)), ("TRUC-violation".into(), text));

    // In a package.
    let parent = node.build(&[b], &[REWARD / 2, REWARD / 2], v3);
    let child = node.spend(&[output(&parent, 0)], &[REWARD / 2 - 9000]);
    let result = node.package(&[parent.clone(), child]);
    assert_eq!(failure(&result), (PackageErrorKind::Policy, "TRUC-violation"));
    let child = node.build(&[output(&parent, 0)], &[REWARD / 2 - 9000], v3);
    assert_eq!(node.package(&[parent, child]).error, None);
}

#[test]
fn dust_has_to_be_spent() {
    let mut node = Node::new(3);
    let coin = node.coin();
    let paying = node.spend(&[coin], &[10, REWARD - 2000]);
    assert_eq!(refusal(&node.accept(&paying)), ("dust".into(), "tx with dust output must be 0-fee".into()));
    let parent = node.spend(&[coin], &[10, REWARD - 10]);
    let careless = node.spend(&[output(&parent, 1)], &[REWARD - 9000]);
    let result = node.package(&[parent.clone(), careless.clone()]);
    assert_eq!(failure(&result), (PackageErrorKind::Transaction, "unspent-dust"));
    let text =
        format!("tx {} (wtxid={}) did not spend parent's ephemeral dust", careless.txid(), careless.wtxid());
    assert_eq!(refusal(of(&result, &careless)), ("missing-ephemeral-spends".into(), text));
    let child = node.spend(&[output(&parent, 0), output(&parent, 1)], &[REWARD - 9000]);
    assert_eq!(node.package(&[parent.clone(), child]).error, None);
    // A second one that leaves the dust alone.
    let other = node.spend(&[output(&parent, 1)], &[REWARD - 90_000]);
    assert_eq!(reason(&node.accept(&other)), "missing-ephemeral-spends");
}
