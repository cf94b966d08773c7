package bbd.companion.anvil;

import static org.junit.jupiter.api.Assertions.assertEquals;

import bbd.companion.blocks.ChunkPos;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RegionFileTest {
    private static final int WRITES = 300;

    @TempDir
    Path folder;

    private static RawChunk filled(int value) {
        byte[] data = new byte[30_000 + 4096 * (value % 3)];
        Arrays.fill(data, (byte) value);
        return new RawChunk(RawChunk.NONE, data);
    }

    /** Reads go on while chunks move to the sectors that others have left, and the file is closed now and then. */
    @Test
    void whoReadsBesideAWriterSeesWholeChunks() throws IOException, InterruptedException, ExecutionException {
        RegionFile file = new RegionFile(folder, new ChunkPos(0, 0), true);
        file.write(Map.of(0, filled(0), 1, filled(0)), Set.of());
        AtomicBoolean over = new AtomicBoolean();
        CompletableFuture<Integer> reading = CompletableFuture.supplyAsync(() -> {
            int reads = 0;
            try {
                while (!over.get()) {
                    byte[] data = file.read(reads++ % 2).data();
                    byte[] expected = data.clone();
                    Arrays.fill(expected, data[0]);
                    assertEquals(-1, Arrays.mismatch(data, expected));
                }
            } catch (IOException error) {
                throw new java.io.UncheckedIOException(error);
            }
            return reads;
        });
        for (int i = 1; i <= WRITES && !reading.isDone(); i++) {
            file.write(Map.of(i % 2, filled(i)), Set.of());
            if (i % 2 == 0) {
                file.close();
            }
        }
        over.set(true);
        reading.get();
        assertEquals((byte) WRITES, file.read(0).data()[0]);
        file.close();
    }
}
