import Bundle
import Crypto
import IPLD
import Machine
import Primitives

/// Names of built-in actors' methods, for people.
enum BuiltinMethods {
    /// A method of one kind of actor.
    struct Row {
        let number: UInt64
        let name: String
        /// Versions of the actors that have it.
        let versions: ClosedRange<Int>

        init(_ number: UInt64, _ name: String, since: Int = 0, until: Int = .max) {
            self.number = number
            self.name = name
            versions = since...until
        }

        /// A method whose number follows from its name (FRC-0042).
        static func exported(_ name: String, as shown: String? = nil, since: Int = 0, until: Int = .max) -> Row {
            Row(BuiltinMethods.number(of: name), shown ?? name + "Exported", since: since, until: until)
        }
    }

    /// The number of an exported method: the first 32-bit word of BLAKE2b-512 of `1|NAME` that is no number below
    /// 2^24, which are an actor's own (FRC-0042).
    static func number(of name: String) -> UInt64 {
        let digest = Blake2b.hash512(Array("1|\(name)".utf8))
        for start in stride(from: 0, to: digest.count, by: 4) {
            let word = digest[start..<start + 4].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            if word >= 1 << 24 { return word }
        }
        return 0
    }

    private static let byNumber: [String: [UInt64: [Row]]] = table.mapValues { rows in
        Dictionary(grouping: rows, by: \.number)
    }

    /// What method `number` of an actor is called.
    /// - Parameters:
    ///   - kind: the actor's name in the manifest; nil for one that is not built in.
    ///   - actors: the version of the actors.
    static func name(_ number: UInt64, kind: String?, actors: Int) -> String? {
        if number == 0 { return "Send" }
        guard let kind, let rows = byNumber[kind]?[number] else { return nil }
        return rows.first { $0.versions.contains(actors) }?.name
    }

    /// The version of a state's actors: their bundle's, where that is a released one, else of those that the network
    /// version runs, and beyond the known ones the latest.
    static func actorsVersion(_ manifest: BuiltinManifest, _ version: NetworkVersion) -> Int {
        // A bundle's root is the version of the manifest's format and the list that the system actor's state names.
        var root = CborWriter()
        root.array(2)
        root.unsigned(UInt64(1))
        root.link(manifest.cid)
        let release = ReleasedBundles.release(root: .blake2b256(codec: Cid.dagCbor, data: root.bytes))
        return release?.actorsVersion ?? ReleasedBundles.actorsVersion(version)
    }
}
