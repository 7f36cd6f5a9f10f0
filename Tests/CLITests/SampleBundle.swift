import Crypto
import IPLD
import Primitives

/// Bundles of the sample actors, in the format of the built-in actors' bundles.
enum SampleBundle {
    static func make(_ names: [String]) throws -> [UInt8] {
        func block(_ codec: UInt64, _ data: [UInt8]) -> Car.Block {
            Car.Block(cid: .blake2b256(codec: codec, data: data), data: data)
        }
        let modules = try names.map { block(Cid.raw, try bytes(ofFile: "\(Tool.samples)/\($0).wasm")) }
        var data = CborWriter()
        data.array(names.count)
        for (name, module) in zip(names, modules) {
            data.array(2)
            data.text(name)
            data.link(module.cid)
        }
        let dataBlock = block(Cid.dagCbor, data.bytes)
        var root = CborWriter()
        root.array(2)
        root.unsigned(UInt64(1))
        root.link(dataBlock.cid)
        let rootBlock = block(Cid.dagCbor, root.bytes)
        return Car(roots: [rootBlock.cid], blocks: [rootBlock, dataBlock] + modules).write()
    }
}
