package bbd.companion.anvil;

import java.util.Arrays;
import java.util.List;
import java.util.zip.Adler32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Inflates zlib streams: with an inflater and memory that a thread keeps, and with Java's own checksum, which is several
 * times as fast as the inflater's.
 */
final class ZlibReader {
    private static final int HEAD = 2;
    private static final int TRAILER = 4;
    private static final int DEFLATED = 8;
    private static final int DICTIONARY = 0x20;
    private static final int MOST_KEPT = 1 << 20;
    private static final ThreadLocal<ZlibReader> OWN = ThreadLocal.withInitial(ZlibReader::new);

    private final Inflater inflater = new Inflater(true);
    private byte[] room = new byte[1 << 18];

    private ZlibReader() {}

    /**
     * What a stream holds, in the thread's own memory; what follows it is not looked at. {@code shared} is what it may
     * well have in it. Throws {@link UnreadableChunk}.
     */
    static Content read(byte[] stream, int most, List<SharedBytes> shared) throws UnreadableChunk {
        checkHead(stream);
        ZlibReader own = OWN.get();
        StitchedReader stitched = new StitchedReader(stream, HEAD, shared, own.room);
        if (stitched.read()) {
            checkSum(stream, stitched.end(), own.room, stitched.size());
            return new Content(own.room, stitched.size());
        }
        return own.inflated(stream, most);
    }

    private Content inflated(byte[] stream, int most) throws UnreadableChunk {
        byte[] out = room;
        try {
            inflater.reset();
            inflater.setInput(stream, HEAD, stream.length - HEAD);
            int size = 0;
            while (!inflater.finished()) {
                if (size == out.length) {
                    if (size >= most) {
                        throw new UnreadableChunk("it is larger than any chunk");
                    }
                    out = Arrays.copyOf(out, 2 * size);
                }
                int got = inflater.inflate(out, size, out.length - size);
                size += got;
                if (got == 0 && (inflater.needsInput() || inflater.needsDictionary())) {
                    throw new UnreadableChunk("its zlib stream is cut off");
                }
            }
            checkSum(stream, stream.length - inflater.getRemaining(), out, size);
            return new Content(out, size);
        } catch (DataFormatException error) {
            throw new UnreadableChunk("its zlib stream is broken (" + error.getMessage() + ")");
        } finally {
            if (out.length <= MOST_KEPT) {
                room = out;
            }
        }
    }

    private static void checkHead(byte[] stream) throws UnreadableChunk {
        if (stream.length < HEAD) {
            throw new UnreadableChunk("its zlib stream is cut off");
        }
        int head = (stream[0] & 0xFF) << Byte.SIZE | stream[1] & 0xFF;
        int method = stream[0] & 0x0F;
        if (method != DEFLATED || head % 31 != 0 || (stream[1] & DICTIONARY) != 0) {
            throw new UnreadableChunk("its zlib stream is broken (it does not begin like one)");
        }
    }

    private static void checkSum(byte[] stream, int at, byte[] content, int size) throws UnreadableChunk {
        if (stream.length - at < TRAILER) {
            throw new UnreadableChunk("its zlib stream is cut off");
        }
        int said = 0;
        for (int i = at; i < at + TRAILER; i++) {
            said = said << Byte.SIZE | stream[i] & 0xFF;
        }
        Adler32 sum = new Adler32();
        sum.update(content, 0, size);
        if ((int) sum.getValue() != said) {
            throw new UnreadableChunk("its zlib stream is broken (its sum is wrong)");
        }
    }
}
