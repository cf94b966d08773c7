package bbd.companion.anvil;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Reads the LZ4 stream of chunks (compression 4, since 1.20.5): blocks with a head of 21 bytes, as lz4-java's
 * {@code LZ4BlockOutputStream} writes them; the blocks are LZ4's (its "Block Format Description").
 */
final class Lz4 {
    private static final long MAGIC = 0x6B636F6C42345A4CL;
    private static final int HEAD = 21;
    private static final int RAW = 0x10;
    private static final int PACKED = 0x20;
    private static final int SEED = 0x9747B28C;
    private static final int CHECK_BITS = 0x0FFFFFFF;
    private static final int MIN_MATCH = 4;

    private Lz4() {}

    static byte[] unpack(byte[] stream, int limit) throws UnreadableChunk {
        ByteBuffer in = ByteBuffer.wrap(stream).order(ByteOrder.LITTLE_ENDIAN);
        byte[] out = new byte[0];
        while (true) {
            require(in.remaining() >= HEAD, "is cut off");
            require(in.getLong() == MAGIC, "has a block without a head");
            int token = in.get() & 0xFF;
            int packed = in.getInt();
            int size = in.getInt();
            int check = in.getInt();
            require(packed >= 0 && size >= 0 && size <= 1 << 10 + (token & 0x0F), "has a block without a head");
            if (size == 0) {
                require(packed == 0 && check == 0, "has a block of the wrong size");
                return out;
            }
            require(packed <= in.remaining(), "is cut off");
            require(size <= limit - out.length, "is longer than any chunk");
            byte[] block = block(stream, in.position(), packed, token & 0xF0, size);
            require((xxHash32(block) & CHECK_BITS) == check, "has a block with the wrong checksum");
            in.position(in.position() + packed);
            out = Arrays.copyOf(out, out.length + size);
            System.arraycopy(block, 0, out, out.length - size, size);
        }
    }

    private static byte[] block(byte[] in, int position, int packed, int method, int size) throws UnreadableChunk {
        if (method == RAW && packed == size) {
            return Arrays.copyOfRange(in, position, position + packed);
        }
        require(method == PACKED, "has a block of an unknown kind");
        try {
            return unpackBlock(in, position, position + packed, size);
        } catch (IndexOutOfBoundsException error) {
            throw new UnreadableChunk("its LZ4 stream has a broken block");
        }
    }

    private static byte[] unpackBlock(byte[] in, int start, int end, int size) throws UnreadableChunk {
        byte[] out = new byte[size];
        int from = start;
        int to = 0;
        while (from < end) {
            int token = in[from++] & 0xFF;
            int literals = token >> 4;
            if (literals == 15) {
                int more;
                do {
                    more = in[from++] & 0xFF;
                    literals += more;
                } while (more == 255);
            }
            require(literals >= 0 && from + literals <= end, "has a broken block");
            System.arraycopy(in, from, out, to, literals);
            from += literals;
            to += literals;
            if (from == end) {
                break;
            }
            int offset = in[from] & 0xFF | (in[from + 1] & 0xFF) << 8;
            from += 2;
            int length = (token & 15) + MIN_MATCH;
            if ((token & 15) == 15) {
                int more;
                do {
                    more = in[from++] & 0xFF;
                    length += more;
                } while (more == 255);
            }
            require(offset > 0 && offset <= to && length > 0, "has a broken block");
            for (int i = 0; i < length; i++, to++) {
                out[to] = out[to - offset];
            }
        }
        require(to == size, "has a block of the wrong size");
        return out;
    }

    /** XXH32 (xxHash's specification), with the seed of lz4-java. */
    static int xxHash32(byte[] data) {
        ByteBuffer in = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
        int hash;
        if (data.length >= 16) {
            int a = SEED + P1 + P2;
            int b = SEED + P2;
            int c = SEED;
            int d = SEED - P1;
            while (in.remaining() >= 16) {
                a = round(a, in.getInt());
                b = round(b, in.getInt());
                c = round(c, in.getInt());
                d = round(d, in.getInt());
            }
            hash = Integer.rotateLeft(a, 1) + Integer.rotateLeft(b, 7) + Integer.rotateLeft(c, 12)
                    + Integer.rotateLeft(d, 18);
        } else {
            hash = SEED + P5;
        }
        hash += data.length;
        while (in.remaining() >= 4) {
            hash = Integer.rotateLeft(hash + in.getInt() * P3, 17) * P4;
        }
        while (in.hasRemaining()) {
            hash = Integer.rotateLeft(hash + (in.get() & 0xFF) * P5, 11) * P1;
        }
        hash = (hash ^ hash >>> 15) * P2;
        hash = (hash ^ hash >>> 13) * P3;
        return hash ^ hash >>> 16;
    }

    private static final int P1 = 0x9E3779B1;
    private static final int P2 = 0x85EBCA77;
    private static final int P3 = 0xC2B2AE3D;
    private static final int P4 = 0x27D4EB2F;
    private static final int P5 = 0x165667B1;

    private static int round(int sum, int word) {
        return Integer.rotateLeft(sum + word * P2, 13) * P1;
    }

    private static void require(boolean right, String wrong) throws UnreadableChunk {
        if (!right) {
            throw new UnreadableChunk("its LZ4 stream " + wrong);
        }
    }
}
