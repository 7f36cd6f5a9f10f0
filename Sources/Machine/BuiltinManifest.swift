import IPLD
import Kernel
import Primitives
import StateTree

/// The built-in actors of a state: names and code CIDs in the order that makes their type ids.
public struct BuiltinManifest: Sendable, Equatable {
    /// What errors call the block.
    public static let title = "actor manifest"

    /// The block with the list; what a bundle's manifest names.
    public let cid: Cid
    /// Type n is element n − 1.
    public let codes: [Cid]
    public let names: [String]
    public let account: Cid
    public let placeholder: Cid
    public let ethereumAccount: Cid

    /// - Throws: when a name the machine needs is missing.
    public init(_ manifest: ActorManifest, cid: Cid) throws(StateError) {
        self.cid = cid
        codes = manifest.entries.map(\.code)
        names = manifest.entries.map(\.name)
        func code(of name: String) throws(StateError) -> Cid {
            guard let code = manifest.code(named: name) else {
                throw .malformed("actor manifest has no \(name) actor")
            }
            return code
        }
        account = try code(of: "account")
        placeholder = try code(of: "placeholder")
        ethereumAccount = try code(of: "ethaccount")
        for name in ["system", "init", "eam"] { _ = try code(of: name) }
    }

    /// The name of a built-in actor's code, or nil.
    public func name(of code: Cid) -> String? {
        codes.lastIndex(of: code).map { names[$0] }
    }

    /// Reads the manifest the system actor points at: its state is a tuple of the CID of `[[name, code]…]`.
    static func load(from state: StateTree, store: any Blockstore) throws(StateError) -> BuiltinManifest {
        guard let system = try state.actor(Singleton.system) else {
            throw .invalid("the system actor f00 does not exist")
        }
        let head = try store.block(system.state, "state of the system actor")
        let data: Cid
        do throws(CborError) {
            var reader = CborReader(head)
            try reader.tuple(1)
            data = try reader.link()
            try reader.finish()
        } catch {
            throw .malformed("state of the system actor: \(error)")
        }
        let block = try store.block(data, title)
        let manifest: ActorManifest
        do throws(CborError) {
            manifest = try ActorManifest(data: block)
        } catch {
            throw .malformed("\(title): \(error)")
        }
        return try BuiltinManifest(manifest, cid: data)
    }

    /// The code an actor has when it sends a message, or nil when it cannot: accounts as they are, and a
    /// placeholder of the Ethereum namespace that has not sent yet as an Ethereum account.
    func senderCode(of actor: ActorState) -> Cid? {
        if actor.code == account || actor.code == ethereumAccount { return actor.code }
        guard actor.code == placeholder, actor.sequence == 0,
            actor.delegatedAddress?.namespace == Singleton.ethereumAddressManager
        else { return nil }
        return ethereumAccount
    }
}
