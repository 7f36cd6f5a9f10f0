import ArtifactFormat
import ArtifactStore
import Glibc
import Synchronization
import TestSupport
import Testing
import WasmFormat
import WorkerProtocol

@testable import CompilePool

final class Warnings: Sendable {
    private let texts = Mutex<[String]>([])
    func add(_ text: String) { texts.withLock { $0.append(text) } }
    var all: [String] { texts.withLock { $0 } }
}

extension CompileOutcome {
    var actor: CompiledActor? {
        if case .compiled(let actor) = self { actor } else { nil }
    }
    var failure: LocalFailure? {
        if case .failed(let failure) = self { failure } else { nil }
    }
}

@Suite struct PoolTests {
    let folder = TemporaryFolder()
    let warnings = Warnings()

    private func store(_ name: String = "store") -> ArtifactStore {
        let warnings = warnings
        return ArtifactStore(directory: "\(folder.path)/\(name)") { warnings.add($0) }
    }

    private func input(_ wasm: [UInt8], _ name: String = "test") -> CompileInput {
        CompileInput(name: name, wasm: wasm)
    }

    /// A compiler that is a shell script; it introduces itself properly first.
    private func script(_ body: String) -> String {
        let identity = CompilerIdentity(
            version: "1", build: Digest(of: []), llvmVersion: "19.1.7", llvmBuild: Digest(of: [8]),
            linkerVersion: "LLD 19.1.7", linkerBuild: Digest(of: [9]))
        let path = folder.path + "/worker"
        _ = writeFile(identity.hello.encoded, folder.path + "/hello")
        _ = writeFile(Array("#!/bin/sh\ncat '\(folder.path)/hello'\n\(body)\n".utf8), path + ".text")
        // Another process makes the file that is executed: were it ever open for writing in this one, a child that
        // another test starts at that moment would have it open too, and "text file busy" would be the answer.
        _ = shell("cp '\(path).text' '\(path)' && chmod +x '\(path)'")
        return path
    }

    /// The running processes that `parent` started, as the kernel lists them.
    private func children(of parent: pid_t, named name: String? = nil) -> [pid_t] {
        fileNames(in: "/proc", suffix: "").compactMap { pid_t($0) }.filter { process in
            // The number, the name in parentheses, the state, the parent, and more.
            let status = String(decoding: fileBytes("/proc/\(process)/stat") ?? [], as: UTF8.self)
            guard let start = status.firstIndex(of: "("), let end = status.lastIndex(of: ")") else { return false }
            let fields = status[end...].split(separator: " ")
            return fields.count > 2 && fields[1] != "Z" && pid_t(fields[2]) == parent
                && (name == nil || status[start..<end].dropFirst() == name ?? "")
        }
    }

    /// A module in several parts, which one, two or many threads make.
    @Test func bytesDoNotDependOnTheNumberOfJobs() throws {
        let module = input(Modules.large(functions: 400))
        let objects = try [1, 2, 9].map { jobs in
            let actor = try #require(CompilePool(store: nil, jobs: jobs).compile([module])[0].actor)
            #expect(actor.facts?.functions == 400 && actor.facts?.baselineFunctions == 0)
            #expect(actor.facts?.slowest.hasPrefix("f") == true)
            return actor.object.bytes
        }
        #expect(objects[0] == objects[1] && objects[0] == objects[2])
    }

    @Test func aJobHasItsShareOfTheProcessors() {
        #expect(CompileRun.share(of: 100, left: 100, processors: 1) == 1)
        #expect(CompileRun.share(of: 100, left: 100, processors: 4) == 4)
        #expect(CompileRun.share(of: 100, left: 1_000, processors: 4) == 1)
        #expect(CompileRun.share(of: 300, left: 1_000, processors: 4) == 2)
        #expect(CompileRun.share(of: 0, left: 0, processors: 4) == 1)
    }

    @Test func aModuleIsCompiledOnceAndThenFound() throws {
        let pool = CompilePool(store: store(), jobs: 1)
        let first = try #require(pool.compile([input(Modules.constant(7))])[0].actor)
        #expect(first.facts?.functions == 1 && (first.usage?.cpuMicroseconds ?? 0) > 0)
        let again = try #require(CompilePool(store: store()).compile([input(Modules.constant(7))])[0].actor)
        #expect(again.facts == nil && again.object == first.object)
        #expect(try ArtifactFormat.verify(first.object.bytes, expecting: .runnable) == first.manifest)
        #expect(warnings.all.isEmpty)
    }

    @Test func outcomesComeInTheOrderOfTheInputsAndEqualModulesShareOne() throws {
        let modules = [3, 1, 2, 1].map { Modules.constant($0) } + [Modules.invalid]
        let outcomes = CompilePool(store: store(), jobs: 2).compile(modules.map { input($0) })
        let actors = outcomes.map(\.actor)
        #expect(actors[1]?.object == actors[3]?.object)
        for (module, actor) in zip(modules, actors.dropLast()) {
            #expect(actor?.manifest.inputs.wasm == input(module).cid)
        }
        guard case .refused = outcomes[4] else {
            Issue.record("\(outcomes[4])")
            return
        }
    }

    @Test func aRefusalNamesStageFunctionAndPlaceAndIsRemembered() throws {
        for _ in 0..<2 {
            guard case .refused(let text) = CompilePool(store: store()).compile([input(Modules.invalid)])[0] else {
                Issue.record("not refused")
                return
            }
            #expect(text.hasPrefix("validate: function 0 at 0x"), "\(text)")
        }
        let compiler = try CompilePool(store: nil).identity()
        let inputs = compiler.inputs(wasm: input(Modules.invalid).cid, settings: CompileSettings())
        guard case .refused? = store().find(inputs) else {
            Issue.record("not in the store")
            return
        }
    }

    @Test func loadPrefersTheStoreAndAsksForWasmOnlyWithoutIt() throws {
        let module = Modules.constant(9)
        let pool = CompilePool(store: store())
        let code = input(module).cid
        #expect(pool.load(code: code, wasm: { nil }) == nil)
        #expect(pool.load(code: code, wasm: { module })?.actor != nil)
        let asked = Mutex(false)
        let found = CompilePool(store: store()).load(code: code) {
            asked.withLock { $0 = true }
            return nil
        }
        #expect(found?.actor != nil && !asked.withLock { $0 })
        // Other settings make another object, from the WASM that the store kept.
        var settings = CompileSettings()
        settings.bounds = .checks
        #expect(CompilePool(store: store(), settings: settings).load(code: code, wasm: { nil })?.actor != nil)
    }

    @Test func withoutACompilerWhatAnyCompilerMadeRuns() throws {
        let module = Modules.constant(11)
        let code = input(module).cid
        let absent = folder.path + "/no-such-worker"
        guard
            case .noCompiler(let reason)? = CompilePool(store: store(), worker: absent).load(
                code: code, wasm: { module })?
                .failure
        else {
            Issue.record("something ran")
            return
        }
        #expect(reason.contains("is not installed") && reason.contains("x86-64-v2"), "\(reason)")
        let made = try #require(CompilePool(store: store()).compile([input(module)])[0].actor)
        let pool = CompilePool(store: store(), worker: absent)
        #expect(pool.load(code: code, wasm: { nil })?.actor?.object == made.object)
        // Refusals, too; but nothing that was made for other settings.
        _ = CompilePool(store: store()).compile([input(Modules.invalid)])
        guard case .refused? = pool.load(code: input(Modules.invalid).cid, wasm: { nil }) else {
            Issue.record("the refusal is not known")
            return
        }
        let checks = CompilePool(store: store(), settings: CompileSettings(bounds: .checks), worker: absent)
        #expect(checks.load(code: code, wasm: { module })?.failure != nil)
        // Compiling needs the compiler.
        #expect(pool.compile([input(module)])[0].failure != nil)
    }

    @Test func besideAnotherCompilerOnlyImportedObjectsRun() throws {
        let module = Modules.constant(12)
        let code = input(module).cid
        let made = try #require(CompilePool(store: store("theirs")).compile([input(module)])[0].actor)
        #expect(shell("mkdir '\(folder.path)/out'") && writeFile(made.object.bytes, folder.path + "/out/a.so"))
        // A compiler of another build, and one that does not start.
        let workers = [script("exit 0"), "/bin/false"]
        for (index, worker) in workers.enumerated() {
            let mine = store("mine\(index)")
            try mine.publish(made.object.bytes, made.manifest.inputs)
            #expect(CompilePool(store: mine, worker: worker).load(code: code, wasm: { module })?.failure != nil)
            #expect(try mine.importObjects(from: folder.path + "/out").count == 1)
            #expect(
                CompilePool(store: mine, worker: worker).load(code: code, wasm: { nil })?.actor?.object == made.object)
        }
    }

    @Test func aWorkerWhoseHostIsGoneEndsWithItsCompilation() throws {
        // The host is a shell that closes its pipe while the worker compiles.
        let request = CompileRequest(
            cid: input(Modules.heavy(60_000)).cid, wasm: Modules.heavy(60_000), settings: CompileSettings(),
            product: .so, limits: .forModule(size: 1 << 20))
        #expect(writeFile(request.frame.encoded, folder.path + "/request"))
        let worker = try #require(WorkerProcess.expectedPath)
        #expect(
            shell(
                """
                cd '\(folder.path)' && mkfifo in
                setsid '\(worker)' < in > out 2> err & worker=$!
                exec 7> in; cat request >&7
                until grep . /proc/$worker/task/*/children > child; do :; done
                exec 7>&-
                wait $worker
                # Nothing was finished, and the child is gone with it.
                ! grep -q 'result made' out || exit 1
                read -r child < child
                until ! [ -d /proc/$child ] || grep -q ') Z' /proc/$child/stat; do :; done
                """))
    }

    @Test func settingsGiveObjectsOfTheirOwn() throws {
        var objects: Set<[UInt8]> = []
        var variants = [CompileSettings()]
        for change in [
            { $0.bounds = .checks }, { $0.cpu = .v3 }, { $0.tier = .baseline }, { $0.isMetered = false },
            { $0.profile = .suite }, { $0.stackLimit = 100 },
        ] as [(inout CompileSettings) -> Void] {
            var settings = CompileSettings()
            change(&settings)
            variants.append(settings)
        }
        for settings in variants {
            let actor = try #require(
                CompilePool(store: store(), settings: settings).compile([input(Modules.heavy(3))])[0].actor)
            #expect(actor.manifest.inputs.cpu == settings.cpu)
            objects.insert(actor.object.bytes)
        }
        #expect(objects.count == variants.count)
    }

    @Test func aTargetWithoutObjectsIsAStatedFailure() {
        let settings = CompileSettings(target: "aarch64-unknown-linux-gnu")
        let failure = CompilePool(store: nil, settings: settings).compile([input(Modules.constant(1))])[0].failure
        #expect(failure?.description.contains("not for aarch64-unknown-linux-gnu") == true)
    }

    @Test func everyProductIsWhatItsNameSays() throws {
        let pool = CompilePool(store: nil)
        func made(_ product: Product) throws -> [UInt8] {
            guard case .made(let bytes, _, _) = pool.emit(product, [input(Modules.heavy(2))])[0] else {
                Issue.record("\(product)")
                return []
            }
            return bytes
        }
        #expect(try made(.wasm) == Modules.heavy(2))
        #expect(try made(.obj).prefix(4) == [0x7f, 0x45, 0x4c, 0x46] && made(.obj)[16] == 1)
        #expect(try made(.so)[16] == 3)
        #expect(try String(decoding: made(.asm), as: UTF8.self).contains("smelt_module"))
        #expect(try String(decoding: made(.ir), as: UTF8.self).contains("define"))
        #expect(try String(decoding: made(.plan), as: UTF8.self).hasPrefix("smelt-plan 1\n"))
    }

    @Test func timeAndMemoryLimitsEndInStatedFailures() {
        let heavy = input(Modules.heavy(60_000))
        let slow = CompilePool(store: store(), limits: { _ in CompileLimits(seconds: 1, memory: 8 << 30) })
        // The front end alone takes several seconds of any processor with this.
        let failure = slow.compile([input(Modules.heavy(6_000_000))])[0].failure
        #expect(failure == .bothTiers(.timeLimit(seconds: 1), .timeLimit(seconds: 1)))
        let small = CompilePool(store: store(), limits: { _ in CompileLimits(seconds: 60, memory: 1 << 20) })
        guard case .bothTiers? = small.compile([heavy])[0].failure else {
            Issue.record("compiled in no memory")
            return
        }
        // The pools and their workers live on.
        #expect(slow.compile([input(Modules.constant(1))])[0].actor != nil)
    }

    @Test func aKilledCompilationIsDoneAgainWithoutOptimisation() throws {
        // A copy of the worker under another name, so that it can be told from those of other tests.
        let worker = folder.path + "/own-worker"
        #expect(shell("cp \"$(dirname \"$(readlink /proc/\(getpid())/exe)\")/smelt-worker\" '\(worker)'"))
        // The module keeps the compiler busy for several seconds, and the kill is repeated until it met a process: a
        // loaded machine may take its time.
        let isKilled = Mutex(false)
        let pool = CompilePool(store: store(), jobs: 1, worker: worker)
        let outcome = pool.compile([input(Modules.heavy(200_000))]) { state in
            guard !state.running.isEmpty, !isKilled.withLock({ $0 }) else { return }
            for compiling in children(of: getpid(), named: "own-worker").flatMap({ children(of: $0) }) {
                isKilled.withLock { $0 = kill(compiling, SIGKILL) == 0 }
            }
        }[0]
        #expect(isKilled.withLock { $0 })
        let actor = try #require(outcome.actor, "\(outcome)")
        guard case .crashed(signal: 9, _, _)? = actor.baselineReason else {
            Issue.record("\(String(describing: actor.baselineReason))")
            return
        }
        #expect(try store().entries().count == 1)
        #expect(try store().verify().unsound.isEmpty)
    }

    @Test func programsThatAreNoWorkersAreNamed() {
        for (path, text) in [("/nonexistent/worker", "No such file"), ("/bin/true", "ended at once"), ("/bin/ls", "")] {
            let failure = CompilePool(store: nil, worker: path).compile([input(Modules.constant(1))])[0].failure
            guard case .noCompiler(let reason)? = failure else {
                Issue.record("\(path): \(String(describing: failure))")
                continue
            }
            #expect(reason.contains(path) && reason.contains(text), "\(reason)")
        }
    }

    @Test func aWorkerThatDiesOrTalksNonsenseOrHangsIsAStatedFailure() {
        func failure(_ body: String, patience: UInt64 = 600) -> String {
            let limits = CompileLimits(seconds: 60, memory: 1 << 32, patience: patience)
            let pool = CompilePool(store: store(), worker: script(body), limits: { _ in limits })
            return pool.compile([input(Modules.constant(1))])[0].failure?.description ?? "none"
        }
        #expect(failure("head -c 9 >/dev/null; echo trouble >&2; exit 3").contains("trouble"))
        #expect(failure("printf '\\377aaaaaaaaaaaaaa'; cat >/dev/null").contains("unknown kind 255"))
        #expect(failure("cat >/dev/null", patience: 1).contains("60 s"))
        #expect(failure("printf '\\4\\0\\0\\0\\0\\0\\0\\0\\0'; cat >/dev/null").contains("malformed reply"))
    }

    @Test func anObjectThatIsNotTheOneAskedForIsNotTaken() throws {
        let other = try #require(CompilePool(store: nil).compile([input(Modules.constant(5))])[0].actor)
        let reply = CompileReply.made(other.object.bytes, CompileFacts()).frame.encoded
        let end = CompileEnd(signal: 0, status: 0, cpuMicroseconds: 1, peakMemory: 1).frame.encoded
        #expect(writeFile(reply + end, folder.path + "/answer"))
        // Without optimisation already, so that nothing is asked a second time.
        let pool = CompilePool(
            store: store(), settings: CompileSettings(tier: .baseline),
            worker: script("cat '\(folder.path)/answer'; cat >/dev/null"))
        let failure = pool.compile([input(Modules.constant(1))])[0].failure
        #expect(failure?.description.contains("bad object") == true, "\(String(describing: failure))")
        #expect(try store().entries().isEmpty)
    }

    @Test func aStoreThatCannotBeWrittenStillCompilesAndSaysSoOnce() throws {
        let warnings = warnings
        let store = ArtifactStore(directory: "/dev/null/store") { warnings.add($0) }
        let pool = CompilePool(store: store, jobs: 1)
        for value in [1, 2, 1] as [UInt8] {
            #expect(pool.compile([input(Modules.constant(value))])[0].actor != nil)
        }
        #expect(pool.compile([input(Modules.constant(2))])[0].actor?.facts == nil)
        #expect(warnings.all.count == 1)
        #expect(warnings.all.first?.contains("kept in memory only") == true)
    }

    @Test func aDamagedStoreIsRepairedByCompilingAgain() throws {
        let first = try #require(CompilePool(store: store()).compile([input(Modules.constant(4))])[0].actor)
        let path = try #require(try store().entries().first?.path)
        var bytes = first.object.bytes
        bytes[bytes.count / 3] ^= 4
        #expect(writeFile(bytes, path))
        let again = try #require(CompilePool(store: store()).compile([input(Modules.constant(4))])[0].actor)
        #expect(again.facts != nil && again.object == first.object)
        #expect(fileBytes(path) == first.object.bytes)
        #expect(warnings.all.count == 1)
    }

    // MARK: What makes the bytes

    /// A worker that finds a patched LLVM or linker; the patch is a byte behind what is used of the file.
    private func patched(_ script: String) throws -> CompilerIdentity {
        let worker = try #require(WorkerProcess.expectedPath)
        let path = folder.path + "/patched"
        #expect(writeFile(Array("#!/bin/sh\n\(script) exec '\(worker)'\n".utf8), path + ".text"))
        #expect(shell("cp '\(path).text' '\(path)' && chmod +x '\(path)'"))
        return try CompilePool(store: store(), worker: path).identity()
    }

    @Test func aPatchedPackageIsAnotherCompiler() throws {
        let plain = try CompilePool(store: store()).identity()
        #expect(
            shell(
                """
                cd '\(folder.path)' && mkdir lib bin
                library=$(ldd '\(WorkerProcess.expectedPath ?? "")' | grep -o '/[^ ]*/libLLVM[^ ]*')
                (cat "$library"; echo patched) > lib/$(basename "$library")
                (cat "$(readlink -f "$(command -v ld.lld-19)")"; echo patched) > bin/ld.lld-19 && chmod +x bin/ld.lld-19
                """))
        let library = try patched("LD_LIBRARY_PATH='\(folder.path)/lib'")
        #expect(library.llvmVersion == plain.llvmVersion && library.llvmBuild != plain.llvmBuild)
        #expect(library.linkerBuild == plain.linkerBuild)
        let linker = try patched("PATH='\(folder.path)/bin'")
        #expect(linker.linkerVersion == plain.linkerVersion && linker.linkerBuild != plain.linkerBuild)
        #expect(linker.llvmBuild == plain.llvmBuild)
        let keys = [plain, library, linker].map {
            $0.inputs(wasm: input([1]).cid, settings: CompileSettings()).key
        }
        #expect(Set(keys).count == 3)
        // The files were just written: what was read of them may change without a sign, and is not remembered.
        let remembered = store().knownDigests()
        #expect(remembered.values.contains(plain.llvmBuild))
        #expect(!remembered.values.contains(library.llvmBuild))
    }

    @Test func aKnownCompilerIsNotStartedToFindWhatItMade() throws {
        let worker = try #require(WorkerProcess.expectedPath)
        let (path, log) = (folder.path + "/noted", folder.path + "/starts")
        let text = "#!/bin/sh\necho >> '\(log)'\nexec '\(worker)'\n"
        // Files that are two seconds old are believed to be what they were.
        #expect(writeFile(Array(text.utf8), path) && shell("chmod +x '\(path)' && sleep 2.1"))
        func started(_ count: Int) -> Bool { shell("test $(wc -l < '\(log)') = \(count)") }
        func pool() -> CompilePool { CompilePool(store: store(), jobs: 1, worker: path) }
        let module = input(Modules.constant(1))
        #expect(pool().compile([module])[0].actor != nil && started(1))
        let warm = pool()
        guard case .compiled? = warm.load(code: module.cid, wasm: { nil }) else {
            Issue.record("not found")
            return
        }
        #expect(started(1))
        // A pool of the other tier asks neither the store nor a worker again.
        let notes = folder.path + "/store/compilers"
        #expect(shell("test -s '\(notes)' && rm '\(notes)'"))
        #expect(try CompilePool(warm, tier: .baseline).installedCompiler() == warm.installedCompiler() && started(1))
        // What is to be compiled is compiled by a worker that says itself who it is.
        #expect(warm.compile([input(Modules.constant(2))])[0].actor != nil && started(2))
        #expect(shell("sleep 0.1; echo '# changed' >> '\(path)'"))
        #expect(pool().load(code: module.cid, wasm: { nil }) != nil && started(3))
    }

    @Test func aLinkerReplacedMeanwhileLinksNothing() throws {
        let replace = """
            cd '\(folder.path)' && mkdir -p bin && cp "$(readlink -f "$(command -v ld.lld-19)")" bin/new \
            && mv bin/new bin/ld.lld-19
            """
        #expect(shell(replace))
        let worker = try #require(WorkerProcess.expectedPath)
        let path = folder.path + "/own-linker"
        #expect(
            writeFile(Array("#!/bin/sh\nPATH='\(folder.path)/bin' exec '\(worker)'\n".utf8), path + ".text")
                && shell("cp '\(path).text' '\(path)' && chmod +x '\(path)'"))
        let pool = CompilePool(store: store(), jobs: 1, worker: path)
        #expect(pool.compile([input(Modules.constant(1))])[0].actor != nil)
        #expect(shell(replace))
        let failure = pool.compile([input(Modules.constant(2))])[0].failure
        #expect(failure?.description.contains("was replaced") == true, "\(String(describing: failure))")
    }

    // MARK: Standing still

    /// A module with more bytes than a pipe holds.
    private var long: [UInt8] { Modules.heavy(60_000) }

    @Test func aWorkerThatTakesNothingIsGivenUp() {
        // It introduces itself and stops: the request does not fit into the pipe.
        let pool = CompilePool(store: store(), worker: script("kill -STOP $$"), patience: 1)
        #expect(long.count > 1 << 17)
        let start = WorkerProcess.now
        #expect(pool.compile([input(long)])[0].failure == .stuck(seconds: 1))
        #expect(WorkerProcess.now - start < 60)
    }

    @Test func aWorkerThatIsStoppedOnceIsReplaced() throws {
        let worker = folder.path + "/stopped-worker"
        #expect(shell("cp \"$(dirname \"$(readlink /proc/\(getpid())/exe)\")/smelt-worker\" '\(worker)'"))
        let stopped = Mutex(0)
        let pool = CompilePool(store: store(), jobs: 1, worker: worker, patience: 1)
        let outcome = pool.compile([input(Modules.heavy(30_000))]) { state in
            guard !state.running.isEmpty, stopped.withLock({ $0 == 0 }) else { return }
            for process in children(of: getpid(), named: "stopped-worker") {
                stopped.withLock { $0 += kill(process, SIGSTOP) == 0 ? 1 : 0 }
            }
        }[0]
        #expect(stopped.withLock { $0 } > 0)
        // Another worker did it, as it was asked.
        #expect(outcome.actor != nil && outcome.actor?.baselineReason == nil, "\(outcome)")
    }

    @Test func aLockThatIsNeverGivenBackIsNotWaitedForWithoutEnd() throws {
        let module = input(Modules.constant(3))
        let key = try CompilePool(store: nil).identity().inputs(wasm: module.cid, settings: CompileSettings()).key
        let held = try #require(try store().lock(key, wait: false))
        let limits = CompileLimits(seconds: 60, memory: 1 << 32, patience: 1)
        let pool = CompilePool(store: store(), limits: { _ in limits })
        #expect(pool.compile([module])[0].actor != nil)
        withExtendedLifetime(held) {}
    }

    @Test func oneOfManyPoolsCompilesAndTheOthersWait() async throws {
        let compiled = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let outcomes = CompilePool(store: store(), jobs: 1).compile([input(Modules.heavy(2_000))])
                    return outcomes[0].actor.map { $0.facts == nil ? 0 : 1 } ?? 100
                }
            }
            return await group.reduce(0, +)
        }
        #expect(compiled == 1)
        #expect(warnings.all.isEmpty)
    }
}

@Suite struct ProtocolTests {
    @Test func requestsAreReadBackAsWritten() throws {
        var settings = CompileSettings()
        settings.prices.math = 12_345
        settings.profile = .suite
        settings.bounds = .checks
        settings.isMetered = false
        settings.stackLimit = 77
        let request = CompileRequest(
            cid: CompileInput(name: "", wasm: [1]).cid, wasm: [1, 2, 3], settings: settings, product: .asm,
            limits: CompileLimits(seconds: 5, memory: 6, threads: 3))
        let back = try CompileRequest(request.frame)
        #expect(back == request)
    }

    @Test func framesSurviveAnySplit() throws {
        let frames = [
            CompileProgress(stage: "emit", done: 1, total: 2, slowest: "f\n1", slowestMilliseconds: 3).frame,
            CompileReply.made([1, 2, 3], CompileFacts()).frame, CompileReply.refused("x").frame,
            CompileEnd(signal: 9, status: 0, cpuMicroseconds: 1, peakMemory: 2).frame,
        ]
        let bytes = frames.flatMap(\.encoded)
        for size in [1, 2, 7, 100, 10_000] {
            var reader = FrameReader()
            var read: [Frame] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                reader.append(bytes[start..<min(start + size, bytes.count)])
                while let frame = try reader.next() { read.append(frame) }
            }
            #expect(read == frames && !reader.isInsideFrame)
        }
    }

    @Test func hugeLengthsAreRefusedBeforeAnythingIsRead() {
        var reader = FrameReader()
        reader.append([1, 255, 255, 255, 255, 0, 0, 0, 0][...])
        #expect(throws: ProtocolError.self) { _ = try reader.next() }
    }
}
