package bbd.companion.anvil;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import org.junit.jupiter.api.Test;

/** Whatever it reads is what Java's own inflater reads. */
class StitchedReaderTest {
    private static final int HEAD = 2;
    private static final int ROOM = 1 << 17;

    private record Read(byte[] content, int end) {}

    /** Null where it is left to others. */
    private static Read read(byte[] stream, List<SharedBytes> shared) {
        byte[] room = new byte[ROOM];
        StitchedReader reader = new StitchedReader(stream, HEAD, shared, room);
        return reader.read() ? new Read(Arrays.copyOf(room, reader.size()), reader.end()) : null;
    }

    /** Null where the stream is broken, or cut off. */
    private static Read inflated(byte[] stream) {
        Inflater inflater = new Inflater(true);
        try {
            inflater.setInput(stream, HEAD, stream.length - HEAD);
            byte[] room = new byte[ROOM];
            int size = inflater.inflate(room);
            return inflater.finished()
                    ? new Read(Arrays.copyOf(room, size), stream.length - inflater.getRemaining())
                    : null;
        } catch (DataFormatException broken) {
            return null;
        } finally {
            inflater.end();
        }
    }

    private static void check(byte[] stream, List<SharedBytes> shared) {
        Read found = read(stream, shared);
        if (found != null) {
            Read expected = inflated(stream);
            assertArrayEquals(expected.content, found.content);
            assertEquals(expected.end, found.end);
        }
    }

    private static byte[] random(Random random, int size) {
        byte[] bytes = new byte[size];
        random.nextBytes(bytes);
        return bytes;
    }

    /** Bytes that deflate makes smaller: of few values. */
    private static byte[] text(Random random, int size) {
        byte[] bytes = random(random, size);
        for (int i = 0; i < size; i++) {
            bytes[i] = (byte) (bytes[i] & 15);
        }
        return bytes;
    }

    /** Compressed piece by piece: small pieces become blocks with fixed codes, which refer to all that was before. */
    private static byte[] compressed(List<byte[]> pieces, int level) {
        Deflater deflater = new Deflater(level);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] room = new byte[ROOM];
        for (byte[] piece : pieces) {
            deflater.setInput(piece);
            out.write(room, 0, deflater.deflate(room, 0, room.length, Deflater.SYNC_FLUSH));
        }
        deflater.finish();
        out.write(room, 0, deflater.deflate(room));
        deflater.end();
        return out.toByteArray();
    }

    private static byte[] joined(List<byte[]> pieces) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        pieces.forEach(out::writeBytes);
        return out.toByteArray();
    }

    /** Ever new bytes, what was before, and one byte again and again, in small pieces. */
    private static List<byte[]> pieces(Random random) {
        byte[] before = random(random, 40_000);
        List<byte[]> pieces = new ArrayList<>();
        pieces.add(before);
        for (int i = 0; i < 100; i++) {
            int at = 8000 + random.nextInt(before.length - 8000 - 300);
            pieces.add(switch (i % 3) {
                case 0 -> random(random, random.nextInt(40));
                case 1 -> Arrays.copyOfRange(before, at, at + 3 + random.nextInt(280));
                default -> new byte[random.nextInt(600)];
            });
        }
        return pieces;
    }

    /** As a chunk is: a palette and indices, again and again. */
    private static NbtWriter chunk(Random random, List<SharedBytes> shared) {
        NbtWriter written = new NbtWriter(1 << 10);
        for (int i = 1 + random.nextInt(8); i > 0; i--) {
            written.tag("Y", i).shared(shared.get(random.nextInt(shared.size())));
            written.longs("data", random(random, 8 * random.nextInt(600)));
        }
        return written;
    }

    private static List<SharedBytes> shared(Random random) {
        return List.of(SharedBytes.of(text(random, 300 + random.nextInt(3000))), SharedBytes.of(new byte[40]),
                SharedBytes.of(random(random, 500)));
    }

    @Test
    void whatWasPutTogetherIsTakenApart() {
        Random random = new Random(1);
        for (int round = 0; round < 500; round++) {
            List<SharedBytes> shared = shared(random);
            NbtWriter written = chunk(random, shared);
            byte[] stream = ZlibStream.of(written);
            Read found = read(stream, shared);
            assertArrayEquals(written.toByteArray(), found.content);
            assertEquals(stream.length - 4, found.end);
        }
    }

    @Test
    void sharedBytesThatNobodyNamedAreLeftToOthers() {
        Random random = new Random(2);
        List<SharedBytes> shared = List.of(SharedBytes.of(text(random, 3000)));
        byte[] stream = ZlibStream.of(chunk(random, shared));
        assertEquals(null, read(stream, List.of()));
        assertTrue(read(stream, shared) != null);
    }

    /** Literals, and references of all lengths and distances: what another writer may do with fixed codes. */
    @Test
    void fixedCodesOfOtherWritersAreReadToo() {
        Random random = new Random(3);
        for (int round = 0; round < 50; round++) {
            List<byte[]> pieces = pieces(random);
            byte[] stream = compressed(pieces, Deflater.BEST_COMPRESSION);
            Read found = read(stream, List.of());
            assertArrayEquals(joined(pieces), found.content);
            assertEquals(stream.length - 4, found.end);
        }
    }

    @Test
    void whatIsLargerThanTheRoomIsLeftToOthers() {
        Random random = new Random(5);
        List<SharedBytes> shared = shared(random);
        List<byte[]> streams = new ArrayList<>(List.of(compressed(List.of(new byte[1000]), Deflater.NO_COMPRESSION)));
        for (int i = 0; i < 20; i++) {
            streams.add(compressed(pieces(random), Deflater.BEST_COMPRESSION));
            streams.add(ZlibStream.of(chunk(random, shared)));
        }
        for (byte[] stream : streams) {
            int size = read(stream, shared).content.length;
            assertTrue(new StitchedReader(stream, HEAD, shared, new byte[size]).read());
            assertFalse(new StitchedReader(stream, HEAD, shared, new byte[size - 1]).read());
        }
    }

    /** Cut, with bits flipped, of nothing but chance: it never reads what an inflater doesn't, and ends always. */
    @Test
    void brokenStreamsAreReadAsByOthersOrNotAtAll() {
        Random random = new Random(4);
        for (int round = 0; round < 300; round++) {
            List<SharedBytes> shared = shared(random);
            byte[] stream = ZlibStream.of(chunk(random, shared));
            for (int spoiled = 0; spoiled < 60; spoiled++) {
                byte[] other = random.nextBoolean()
                        ? Arrays.copyOf(stream, random.nextInt(stream.length))
                        : stream.clone();
                for (int i = random.nextInt(4); i > 0 && other.length > HEAD; i--) {
                    int at = HEAD + random.nextInt(other.length - HEAD);
                    other[at] ^= (byte) (1 << random.nextInt(8));
                }
                if (other.length > HEAD) {
                    check(other, shared);
                }
            }
        }
        for (int round = 0; round < 20_000; round++) {
            byte[] stream = random(random, HEAD + 1 + random.nextInt(60));
            // Fixed or stored, and not the last, so that there is something to read.
            stream[HEAD] = (byte) (stream[HEAD] & ~7 | 2 * random.nextInt(2));
            check(stream, List.of());
        }
    }
}
