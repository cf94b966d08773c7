package bbd.companion.anvil;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ZlibReaderTest {
    private static final int MOST = 1 << 20;

    private static byte[] read(byte[] stream) throws UnreadableChunk {
        return ZlibReader.read(stream, MOST, List.of()).kept();
    }

    private static byte[] compressed(byte[] content) {
        return RawChunk.zlib(content).data();
    }

    @Test
    void whatWasCompressedComesBackOneAfterTheOther() throws UnreadableChunk {
        for (int size : new int[]{0, 1, 1000, 700_000, 10}) {
            byte[] content = new byte[size];
            new Random(size).nextBytes(content);
            assertArrayEquals(content, read(compressed(content)));
        }
    }

    @Test
    void sectorsMayHoldMoreThanTheStream() throws UnreadableChunk {
        byte[] stream = compressed(new byte[]{1, 2, 3});
        assertArrayEquals(new byte[]{1, 2, 3}, read(Arrays.copyOf(stream, stream.length + 9)));
    }

    /** Of a stream that is not whole, or not the one that was written, nothing is believed. */
    @Test
    void everyCutAndEveryFlippedBitIsFound() throws UnreadableChunk {
        byte[] content = new byte[300];
        new Random(3).nextBytes(content);
        byte[] stream = compressed(content);
        for (int length = 0; length < stream.length; length++) {
            byte[] cut = Arrays.copyOf(stream, length);
            assertThrows(UnreadableChunk.class, () -> read(cut));
        }
        for (int bit = 0; bit < 8 * stream.length; bit++) {
            byte[] other = stream.clone();
            other[bit / 8] ^= (byte) (1 << bit % 8);
            try {
                // Some bits, such as the level in the head, change nothing that is said.
                assertArrayEquals(content, read(other));
            } catch (UnreadableChunk found) {
                continue;
            }
        }
        assertArrayEquals(content, read(stream));
    }

    @Test
    void whatIsLargerThanAnyChunkIsRefused() {
        byte[] stream = compressed(new byte[2 * MOST]);
        assertThrows(UnreadableChunk.class, () -> read(stream));
    }
}
