package bbd.companion.anvil;

import java.io.ByteArrayOutputStream;
import java.util.zip.Deflater;

/**
 * Bytes that stand in many places of many chunks: they are compressed once.
 *
 * @param raw the bytes
 * @param deflated the same as a raw deflate stream without a last block, which ends where a byte does and refers to
 *        nothing before it
 */
record SharedBytes(byte[] raw, byte[] deflated) {
    static SharedBytes of(byte[] raw) {
        return new SharedBytes(raw, deflate(raw, 0, raw.length, Deflater.BEST_COMPRESSION));
    }

    /** A part of a raw deflate stream, as {@link #deflated} is one. */
    static byte[] deflate(byte[] bytes, int start, int count, int level) {
        Deflater deflater = new Deflater(level, true);
        try {
            ByteArrayOutputStream out = new ByteArrayOutputStream(count / 4 + 64);
            byte[] piece = new byte[8192];
            deflater.setInput(bytes, start, count);
            int got;
            do {
                got = deflater.deflate(piece, 0, piece.length, Deflater.SYNC_FLUSH);
                out.write(piece, 0, got);
            } while (got == piece.length);
            return out.toByteArray();
        } finally {
            deflater.end();
        }
    }
}
