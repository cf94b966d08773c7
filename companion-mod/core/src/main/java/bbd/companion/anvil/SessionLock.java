package bbd.companion.anvil;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The world's {@code session.lock}, held from {@link #take} until {@link #close}, as the game holds it: a snowman in the
 * file and a lock of all of it. Nothing else in the process may open and close that file meanwhile.
 */
public final class SessionLock implements Closeable {
    private static final byte[] SNOWMAN = "\u2603".getBytes(StandardCharsets.UTF_8);
    private final FileChannel channel;

    private SessionLock(FileChannel channel) {
        this.channel = channel;
    }

    /** Throws {@link IOException} where somebody else has the world open. */
    public static SessionLock take(Path world) throws IOException {
        FileChannel channel = FileChannel.open(world.resolve("session.lock"), StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        try {
            FileLock lock = channel.tryLock();
            if (lock == null) {
                throw new IOException("the world " + world + " is open in another program; close it there first");
            }
            channel.write(ByteBuffer.wrap(SNOWMAN), 0);
            channel.truncate(SNOWMAN.length);
            return new SessionLock(channel);
        } catch (OverlappingFileLockException error) {
            channel.close();
            throw new IOException("the world " + world + " is open in this program already", error);
        } catch (IOException error) {
            channel.close();
            throw error;
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
