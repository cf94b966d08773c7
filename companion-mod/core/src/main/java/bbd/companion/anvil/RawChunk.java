package bbd.companion.anvil;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.Inflater;

/** A chunk as it lies in its region file: a compression's number and the compressed bytes. */
record RawChunk(int compression, byte[] data) {
    static final int GZIP = 1;
    static final int ZLIB = 2;
    static final int NONE = 3;
    static final int LZ4 = 4;
    /** Set in the compression of a chunk that lies in a file of its own. */
    static final int EXTERNAL = 0x80;
    static final int MAX_CHUNK = 64 << 20;

    /** The chunk's NBT. */
    byte[] content() throws UnreadableChunk {
        return switch (compression) {
            case GZIP -> gunzip();
            case ZLIB -> inflate();
            case NONE -> data;
            case LZ4 -> Lz4.unpack(data, MAX_CHUNK);
            default -> throw new UnreadableChunk("its compression " + compression + " is unknown");
        };
    }

    /** What was written, as a zlib stream that costs little to make. */
    static RawChunk zlib(NbtWriter nbt) {
        return new RawChunk(ZLIB, ZlibStream.of(nbt));
    }

    /** NBT of which nothing is known, as a zlib stream. */
    static RawChunk zlib(byte[] nbt) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(nbt.length / 2);
        Deflater deflater = new Deflater(Deflater.BEST_SPEED);
        try (DeflaterOutputStream stream = new DeflaterOutputStream(out, deflater)) {
            stream.write(nbt);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        } finally {
            deflater.end();
        }
        return new RawChunk(ZLIB, out.toByteArray());
    }

    /** The same chunk in another compression; only those that this class writes can be asked for. */
    RawChunk as(int wanted) throws UnreadableChunk {
        byte[] nbt = content();
        return switch (wanted) {
            case ZLIB -> zlib(nbt);
            case NONE -> new RawChunk(NONE, nbt);
            default -> throw new UnreadableChunk("its compression " + wanted + " can't be written here");
        };
    }

    /** What a thread has inflated into lately: fresh memory would cost as much as inflating. */
    private static final ThreadLocal<byte[]> ROOM = ThreadLocal.withInitial(() -> new byte[1 << 18]);
    private static final int MOST_KEPT = 1 << 20;

    private byte[] inflate() throws UnreadableChunk {
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(data);
            byte[] out = ROOM.get();
            int size = 0;
            while (!inflater.finished()) {
                if (size == out.length) {
                    if (size >= MAX_CHUNK) {
                        throw new UnreadableChunk("it is larger than any chunk");
                    }
                    out = Arrays.copyOf(out, 2 * size);
                    if (size <= MOST_KEPT) {
                        ROOM.set(out);
                    }
                }
                int got = inflater.inflate(out, size, out.length - size);
                size += got;
                if (got == 0 && (inflater.needsInput() || inflater.needsDictionary())) {
                    throw new UnreadableChunk("its zlib stream is cut off");
                }
            }
            return Arrays.copyOf(out, size);
        } catch (DataFormatException error) {
            throw new UnreadableChunk("its zlib stream is broken (" + error.getMessage() + ")");
        } finally {
            inflater.end();
        }
    }

    private byte[] gunzip() throws UnreadableChunk {
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(data))) {
            byte[] content = in.readNBytes(MAX_CHUNK + 1);
            if (content.length > MAX_CHUNK) {
                throw new UnreadableChunk("it is larger than any chunk");
            }
            return content;
        } catch (UnreadableChunk error) {
            throw error;
        } catch (IOException error) {
            throw new UnreadableChunk("its gzip stream is broken (" + error.getMessage() + ")");
        }
    }
}
