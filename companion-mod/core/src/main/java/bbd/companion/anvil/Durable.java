package bbd.companion.anvil;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** File calls that are safe from a power cut when they return. */
public final class Durable {
    private Durable() {}

    /** Makes the names in a folder safe. Systems that can't open a folder keep names safe by themselves. */
    public static void syncFolder(Path folder) throws IOException {
        if (System.getProperty("os.name", "").startsWith("Windows")) {
            return;
        }
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /** Puts {@code content} at {@code path}: afterwards, whatever happens, the old or the new file is there, whole. */
    public static void replace(Path path, byte[] content) throws IOException {
        Path fresh = path.resolveSibling(path.getFileName() + ".new");
        Files.deleteIfExists(fresh);
        try (FileChannel channel = FileChannel.open(fresh, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            writeAll(channel, ByteBuffer.wrap(content), 0);
            channel.force(true);
        } catch (IOException error) {
            Files.deleteIfExists(fresh);
            throw error;
        }
        Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        syncFolder(path.toAbsolutePath().getParent());
    }

    public static void writeAll(FileChannel channel, ByteBuffer bytes, long position) throws IOException {
        long at = position;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
    }

    /** Up to {@code size} bytes from {@code position} on; fewer only at the end of the file. */
    public static byte[] read(FileChannel channel, long position, int size) throws IOException {
        int room = (int) Math.max(0, Math.min(size, channel.size() - position));
        ByteBuffer bytes = ByteBuffer.allocate(room);
        while (bytes.hasRemaining() && channel.read(bytes, position + bytes.position()) >= 0) {
            continue;
        }
        return bytes.hasRemaining() ? java.util.Arrays.copyOf(bytes.array(), bytes.position()) : bytes.array();
    }
}
