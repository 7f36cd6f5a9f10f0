import CodeSettings
import Compiler
import Glibc

// The only program that contains LLVM. Started by `smelt` with pipes on standard input and output; whatever a module
// does to the compiler happens here, not in the host.
// A test holds what is printed here.
if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "--passes",
    let tier = Tier(rawValue: CommandLine.arguments[2])
{
    try PassList.show(tier)
    exit(0)
}
guard isatty(STDIN_FILENO) == 0 else {
    let text = Array("smelt-worker is started by smelt and has no use of its own\n".utf8)
    _ = write(STDERR_FILENO, text, text.count)
    exit(64)
}
// Whatever a library prints must not end up between the messages.
let channel = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10)
guard channel >= 0, dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 else { exit(70) }
exit(WorkerLoop(input: STDIN_FILENO, output: channel).run())
