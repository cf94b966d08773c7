package bbd.companion.anvil;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.junit.jupiter.api.Test;

class ZlibStreamTest {
    /** What a strict reader makes of a stream, which must end with it. */
    private static byte[] inflated(byte[] stream, int size) throws DataFormatException {
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(stream);
            byte[] out = new byte[size + 1];
            int found = inflater.inflate(out);
            assertTrue(inflater.finished());
            assertEquals(0, inflater.getRemaining());
            return java.util.Arrays.copyOf(out, found);
        } finally {
            inflater.end();
        }
    }

    private static byte[] check(NbtWriter written) throws DataFormatException {
        byte[] stream = ZlibStream.of(written);
        assertArrayEquals(written.toByteArray(), inflated(stream, written.size()));
        return stream;
    }

    private static byte[] random(Random random, int size) {
        byte[] bytes = new byte[size];
        random.nextBytes(bytes);
        return bytes;
    }

    @Test
    void nothingIsAStream() throws DataFormatException {
        check(new NbtWriter(0));
    }

    @Test
    void whatIsSharedCostsNextToNothingWhenItComesAgain() throws DataFormatException {
        Random random = new Random(1);
        SharedBytes shared = SharedBytes.of(random(random, 10_000));
        NbtWriter written = new NbtWriter(100);
        for (int i = 0; i < 20; i++) {
            written.tag("Y", i).shared(shared).longs("data", random(random, 4096));
        }
        assertTrue(check(written).length < 10_000 + 20 * 4300);
    }

    /** Every length of a reference, near and far, beside every other kind of bytes. */
    @Test
    void everyMixtureIsAStream() throws DataFormatException {
        Random random = new Random(2);
        for (int round = 0; round < 3000; round++) {
            SharedBytes[] shared = {SharedBytes.of(random(random, 1 + random.nextInt(700))), SharedBytes.of(
                    new byte[random.nextInt(40)])};
            NbtWriter written = new NbtWriter(10);
            for (int i = random.nextInt(8); i >= 0; i--) {
                switch (random.nextInt(4)) {
                    case 0 -> written.longs("data", random(random, 8 * random.nextInt(6000)));
                    case 1 -> written.raw(new byte[random.nextInt(6000)]);
                    case 2 -> written.tag("number", random.nextInt());
                    default -> written.shared(shared[random.nextInt(2)]);
                }
            }
            check(written);
        }
    }
}
