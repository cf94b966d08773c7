import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Takes a world's session.lock as the game does, says so, and holds it until its input ends. */
final class HoldLock {
    public static void main(String[] arguments) throws Exception {
        try (FileChannel channel = FileChannel.open(
                Path.of(arguments[0]), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            FileLock lock = channel.tryLock();
            System.out.println(lock == null ? "refused" : "held");
            while (lock != null && System.in.read() >= 0) {
                continue;
            }
        }
    }
}
