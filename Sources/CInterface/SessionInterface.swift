import CSmelt
import FVM
import GasSchedule
import IPLD
import Kernel
import Machine
import Primitives
import StateTree

/// A session with what it keeps alive.
final class SessionHandle: Handle {
    let session: Session
    /// Present while an epoch with tracing is on.
    var trace: TraceCbor?
    private let engine: EngineHandle
    private let store: StoreHandle

    init(_ engine: EngineHandle, _ store: StoreHandle, redirects: [Cid: Cid]) {
        self.engine = engine
        self.store = store
        session = Session(engine: engine.engine, store: store.blocks, redirects: redirects)
    }

    /// Applies a message for good or for a look, and hands out what came of it.
    func result(
        _ bytes: smelt_bytes, _ kind: Int32, _ place: UnsafeMutablePointer<OpaquePointer?>?,
        _ apply: (Session, Message, ApplyKind) throws(SessionError) -> ApplyResult
    ) throws(Failure) {
        let place = try required(place, "result")
        place.pointee = nil
        let (message, kind) = (try Message(bytes), try ApplyKind(kind))
        trace?.begin()
        let result: ApplyResult
        do throws(SessionError) { result = try apply(session, message, kind) } catch let error { throw Failure(error) }
        place.pointee = try ResultHandle(result, trace: trace?.trace ?? []).handedOut()
    }
}

extension Message {
    init(_ bytes: smelt_bytes) throws(Failure) {
        do throws(MessageError) { self = try Message(cbor: bytes.array) } catch let error {
            throw .misuse(error.description)
        }
    }
}

extension ApplyKind {
    init(_ number: Int32) throws(Failure) {
        switch number {
        case Int32(SMELT_EXPLICIT.rawValue): self = .explicit
        case Int32(SMELT_IMPLICIT.rawValue): self = .implicit
        default: throw .misuse("kind \(number) is unknown")
        }
    }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_session_new(
    _ engine: OpaquePointer!, _ store: OpaquePointer!, _ given: UnsafePointer<smelt_session_options>!,
    _ session: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
    status(error) { () throws(Failure) in
        let place = try required(session, "session")
        place.pointee = nil
        var redirects: [Cid: Cid] = [:]
        if given != nil {
            let options = try options(given, smelt_session_options(), "options")
            let rows = UnsafeBufferPointer(
                start: options.redirects, count: options.redirects == nil ? 0 : options.redirect_count)
            for row in rows { redirects[try Cid(row.from, "redirect.from")] = try Cid(row.to, "redirect.to") }
        }
        place.pointee = SessionHandle(
            .behind(try required(engine, "engine")), .behind(try required(store, "store")), redirects: redirects
        ).handedOut()
    }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_session_free(_ session: OpaquePointer!) { SessionHandle.giveBack(session) }

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_session_begin(
    _ session: OpaquePointer!, _ given: UnsafePointer<smelt_epoch>!, _ outside: UnsafePointer<smelt_outside>!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
    status(error) { () throws(Failure) in
        let handle = SessionHandle.behind(try required(session, "session"))
        let epoch = try options(given, smelt_epoch(), "epoch")
        let answers = try CallbackOutside(options(outside, smelt_outside(), "outside"))
        let profile: NetworkProfile
        do {
            profile = try NetworkProfile.forVersion(NetworkVersion(rawValue: epoch.network_version))
        } catch { throw .misuse("epoch.network_version: \(error)") }
        let root = try Cid(epoch.state_root, "epoch.state_root")
        let facts = NetworkFacts(
            profile: profile, epoch: epoch.epoch, timestamp: epoch.timestamp, baseFee: epoch.base_fee.amount,
            circulatingSupply: epoch.circulating_supply.amount, chainID: epoch.chain_id,
            actorDebugging: epoch.debugging != 0)
        handle.trace = epoch.tracing != 0 ? TraceCbor() : nil
        do throws(SessionError) {
            try handle.session.begin(facts, stateRoot: root, outside: answers, trace: handle.trace)
        } catch let failed { throw Failure(failed) }
    }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_session_apply(
    _ session: OpaquePointer!, _ message: smelt_bytes, _ chainLength: UInt64, _ kind: Int32,
    _ result: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
    status(error) { () throws(Failure) in
        try SessionHandle.behind(try required(session, "session")).result(message, kind, result) {
            (session, message, kind) throws(SessionError) in
            try session.apply(message, kind: kind, chainLength: chainLength)
        }
    }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_session_simulate(
    _ session: OpaquePointer!, _ message: smelt_bytes, _ chainLength: UInt64, _ kind: Int32,
    _ result: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
    status(error) { () throws(Failure) in
        try SessionHandle.behind(try required(session, "session")).result(message, kind, result) {
            (session, message, kind) throws(SessionError) in
            try session.simulate(message, kind: kind, chainLength: chainLength)
        }
    }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_session_estimate(
    _ session: OpaquePointer!, _ message: smelt_bytes, _ chainLength: UInt64, _ kind: Int32, _ ceiling: UInt64,
    _ gasLimit: UnsafeMutablePointer<UInt64>!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
    status(error) { () throws(Failure) in
        let handle = SessionHandle.behind(try required(session, "session"))
        let place = try required(gasLimit, "gas_limit")
        let (message, kind) = (try Message(message), try ApplyKind(kind))
        do throws(SessionError) {
            place.pointee = try handle.session.estimate(
                message, kind: kind, chainLength: chainLength, ceiling: ceiling == 0 ? Session.blockGasLimit : ceiling
            ).gasLimit
        } catch let failed { throw Failure(failed) }
    }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_session_flush(
    _ session: OpaquePointer!, _ root: OpaquePointer!, _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
    status(error) { () throws(Failure) in
        let handle = SessionHandle.behind(try required(session, "session"))
        let buffer = Buffer.behind(try required(root, "root"))
        do throws(SessionError) { buffer.set(try handle.session.flush().bytes) } catch let failed {
            throw Failure(failed)
        }
    }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_session_actor(
    _ session: OpaquePointer!, _ address: smelt_bytes, _ id: UnsafeMutablePointer<UInt64>!, _ state: OpaquePointer!,
    _ error: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
    status(error) { () throws(Failure) in
        let handle = SessionHandle.behind(try required(session, "session"))
        let wanted: Address
        do { wanted = try Address(bytes: address.array) } catch let bad { throw .misuse("address: \(bad)") }
        let found: (id: UInt64, state: ActorState)?
        do throws(SessionError) { found = try handle.session.actor(wanted) } catch let failed { throw Failure(failed) }
        guard let found else { throw Failure(SMELT_NOT_FOUND, "no actor has the address \(wanted)") }
        id?.pointee = found.id
        guard let state else { return }
        do { Buffer.behind(state).set(try found.state.encoded()) } catch let bad {
            throw Failure(SMELT_BAD_STATE, "actor f0\(found.id): \(bad)")
        }
    }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func smelt_session_interrupt(_ session: OpaquePointer!) {
    guard let session else { return }
    SessionHandle.behind(session).session.interruption.request()
}
