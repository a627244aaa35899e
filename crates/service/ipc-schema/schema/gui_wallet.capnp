@0xf8ccae52afb4f333;
# Wallets as a window sees them.

using Chains = import "chain.capnp";
using Handlers = import "handler.capnp";
using Generator = import "/generator.capnp";
using Loaders = import "wallet.capnp";
using Proxy = import "/mp/proxy.capnp";

interface Wallets $Generator.trait("Wallets") {
  list @0 (context :Proxy.Context) -> (result :List(WalletEntry));
  create @1 (context :Proxy.Context, wallet :NewWallet) -> (result :Loaders.Outcome) $Generator.secret;
  open @2 (context :Proxy.Context, name :Text) -> (result :Loaders.Outcome);
  close @3 (context :Proxy.Context, name :Text) -> (error :Handlers.BilingualString);
  wallet @4 (context :Proxy.Context, name :Text) -> (result :Wallet);
  # Null if it is not loaded.
  subscribe @5 (context :Proxy.Context, subscriber :WalletsSubscriber) -> (result :Handlers.Handler);
}

interface WalletsSubscriber $Generator.trait("WalletsSubscriber") {
  loaded @0 (context :Proxy.Context, names :List(Text)) -> ();
}

interface Wallet $Generator.trait("Wallet") {
  info @0 (context :Proxy.Context) -> (result :WalletInfo);
  snapshot @1 (context :Proxy.Context) -> (result :WalletSnapshot);
  subscribe @2 (context :Proxy.Context, subscriber :WalletSubscriber) -> (result :Handlers.Handler);
  transactions @3 (context :Proxy.Context, query :TxQuery) -> (result :TxPage);
  transaction @4 (context :Proxy.Context, txid :Data) -> (result :TxDetails);
  # Null if it is not of this wallet.
  setLabel @5 (context :Proxy.Context, address :Text, label :Text) -> (error :Text);
  label @6 (context :Proxy.Context, address :Text) -> (result :Text);
  receiveRequests @7 (context :Proxy.Context) -> (result :List(ReceiveRequest));
  newReceiveRequest @8 (context :Proxy.Context, request :NewReceiveRequest) -> (result :RequestResult);
  removeReceiveRequest @9 (context :Proxy.Context, address :Text, id :UInt64) -> (result :Bool);
  feeLevels @10 (context :Proxy.Context, targets :List(UInt32)) -> (result :FeeLevels);
  preview @11 (context :Proxy.Context, request :SendRequest) -> (result :PreviewResult);
  send @12 (context :Proxy.Context, order :SendOrder) -> (result :SendResult) $Generator.secret;
  sendStatus @13 (context :Proxy.Context, token :Data) -> (result :SendStatus);
}

interface WalletSubscriber $Generator.trait("WalletSubscriber") {
  update @0 (context :Proxy.Context, snapshot :WalletSnapshot) -> ();
  unloaded @1 (context :Proxy.Context) -> ();
}

struct WalletEntry {
  name @0 :Text;
  format @1 :Text;
  loaded @2 :Bool;
}

struct NewWallet {
  name @0 :Text;
  passphrase @1 :Data;
  disablePrivateKeys @2 :Bool;
  blank @3 :Bool;
}

enum AddressKind { legacy @0; p2shSegwit @1; bech32 @2; bech32m @3; }

struct WalletInfo {
  name @0 :Text;
  privateKeys @1 :Bool;
  addressKinds @2 :List(AddressKind);
  defaultAddressKind @3 :AddressKind;
  file @4 :Text;
}

struct WalletSnapshot {
  available @0 :Int64;
  pending @1 :Int64;
  immature @2 :Int64;
  encrypted @3 :Bool;
  locked @4 :Bool;
  transactions @5 :UInt32;
  transactionsVersion @6 :UInt64;
  requestsVersion @7 :UInt64;
  recent @8 :List(TxRow);
  lastBlockHeight @9 :Int32;
  rescanPercent @10 :UInt8;
  hasRescanPercent @11 :Bool;
}

enum TxKind { received @0; sent @1; toSelf @2; mined @3; other @4; }

struct TxStatus {
  depth @0 :UInt32;
  blocksLeft @1 :UInt32;
  kind @2 :Kind;
  enum Kind { unconfirmed @0; inactive @1; confirming @2; confirmed @3; immature @4; conflicted @5; abandoned @6; }
}

struct TxRow {
  txid @0 :Data;
  index @1 :UInt32;
  time @2 :Int64;
  kind @3 :TxKind;
  status @4 :TxStatus;
  label @5 :Text;
  address @6 :Text;
  amount @7 :Int64;
}

struct TxFilter {
  text @0 :Text;
  from @1 :Int64;
  hasFrom @2 :Bool;
  until @3 :Int64;
  hasUntil @4 :Bool;
  kinds @5 :UInt32;
  minAmount @6 :Int64;
}

enum TxSortColumn { status @0; date @1; kind @2; label @3; amount @4; }

struct TxQuery {
  filter @0 :TxFilter;
  column @1 :TxSortColumn;
  descending @2 :Bool;
  offset @3 :UInt32;
  limit @4 :UInt32;
}

struct TxPage {
  offset @0 :UInt32;
  rows @1 :List(TxRow);
  matching @2 :UInt32;
  total @3 :UInt32;
  sum @4 :Int64;
  version @5 :UInt64;
}

struct TxDetails {
  txid @0 :Data;
  status @1 :TxStatus;
  time @2 :Int64;
  rows @3 :List(TxRow);
  debit @4 :Int64;
  credit @5 :Int64;
  fee @6 :Int64;
  hasFee @7 :Bool;
  size @8 :UInt32;
  vsize @9 :UInt32;
  blockHeight @10 :UInt32;
  hasBlockHeight @11 :Bool;
  blockHash @12 :Text;
  comment @13 :Text;
  replaces @14 :Data;
  replacedBy @15 :Data;
  hex @16 :Text;
}

struct NewReceiveRequest {
  addressKind @0 :AddressKind;
  label @1 :Text;
  amount @2 :Int64;
  message @3 :Text;
}

struct ReceiveRequest {
  id @0 :UInt64;
  time @1 :Int64;
  address @2 :Text;
  label @3 :Text;
  amount @4 :Int64;
  message @5 :Text;
}

struct RequestResult {
  union {
    request @0 :ReceiveRequest;
    error @1 :Text;
  }
}

struct SendRecipient {
  address @0 :Text;
  label @1 :Text;
  amount @2 :Int64;
  subtractFee @3 :Bool;
}

struct SendRequest {
  recipients @0 :List(SendRecipient);
  replaceable @1 :Bool;
  fee :union {
    target @2 :UInt32;
    rate @3 :UInt64;
  }
}

struct SendPreview {
  tx @0 :Data;
  amounts @1 :List(Int64);
  fee @2 :Int64;
  feeRate @3 :UInt64;
  source @4 :Chains.FeeReason;
  target @5 :UInt32;
  hasTarget @6 :Bool;
  vsize @7 :UInt32;
  inputs @8 :UInt32;
  change @9 :Int64;
  total @10 :Int64;
}

struct SendOrder {
  token @0 :Data;
  tx @1 :Data;
  recipients @2 :List(SendRecipient);
  passphrase @3 :Data;
}

struct Sent {
  txid @0 :Data;
  repeated @1 :Bool;
  notBroadcast @2 :Text;
}

struct SendStatus {
  sent @0 :Sent;
  # Null if the order was not carried out.
}

struct SendProblem {
  kind @0 :Kind;
  recipient @1 :UInt32;
  text @2 :Text;
  available @3 :Int64;
  needed @4 :Int64;
  enum Kind {
    other @0; address @1; amount @2; insufficientFunds @3; fee @4; locked @5; wrongPassphrase @6; noPrivateKeys @7;
    changed @8;
  }
}

struct PreviewResult {
  union {
    preview @0 :SendPreview;
    problem @1 :SendProblem;
  }
}

struct SendResult {
  union {
    sent @0 :Sent;
    problem @1 :SendProblem;
  }
}

struct FeeLevel {
  target @0 :UInt32;
  rate @1 :UInt64;
  source @2 :Chains.FeeReason;
  returnedTarget @3 :UInt32;
}

struct FeeLevels {
  levels @0 :List(FeeLevel);
  required @1 :UInt64;
  defaultTarget @2 :UInt32;
  maxFee @3 :Int64;
}
