package bbd.companion.anvil;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
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

    /** Compresses NBT but for the ranges that nothing makes smaller, which are stored as they are: a zlib stream. */
    static RawChunk zlib(byte[] nbt, List<NbtWriter.Range> dense) {
        Deflater deflater = new Deflater(FAST);
        try {
            Output out = new Output(nbt.length / 2);
            int at = 0;
            for (NbtWriter.Range range : dense) {
                out.deflate(deflater, nbt, at, range.start(), FAST);
                out.deflate(deflater, nbt, range.start(), range.end(), Deflater.NO_COMPRESSION);
                at = range.end();
            }
            out.deflate(deflater, nbt, at, nbt.length, FAST);
            deflater.finish();
            out.drain(deflater);
            return new RawChunk(ZLIB, out.toByteArray());
        } finally {
            deflater.end();
        }
    }

    private static final int FAST = 1;

    private static final class Output extends ByteArrayOutputStream {
        private final byte[] piece = new byte[16384];

        Output(int size) {
            super(size);
        }

        void deflate(Deflater deflater, byte[] nbt, int start, int end, int level) {
            // A new level counts from the call after the one that meets it: that one gets nothing to compress.
            deflater.setLevel(level);
            deflater.setInput(nbt, start, 0);
            flush(deflater);
            deflater.setInput(nbt, start, end - start);
            flush(deflater);
        }

        private void flush(Deflater deflater) {
            int got;
            do {
                got = deflater.deflate(piece, 0, piece.length, Deflater.SYNC_FLUSH);
                write(piece, 0, got);
            } while (got == piece.length);
        }

        void drain(Deflater deflater) {
            while (!deflater.finished()) {
                write(piece, 0, deflater.deflate(piece));
            }
        }
    }

    /** The same chunk in another compression; only those that this class writes can be asked for. */
    RawChunk as(int wanted) throws UnreadableChunk {
        byte[] nbt = content();
        return switch (wanted) {
            case ZLIB -> zlib(nbt, List.of());
            case NONE -> new RawChunk(NONE, nbt);
            default -> throw new UnreadableChunk("its compression " + wanted + " can't be written here");
        };
    }

    private byte[] inflate() throws UnreadableChunk {
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(data);
            byte[] out = new byte[Math.max(65536, Math.min(6 * data.length, 1 << 20))];
            int size = 0;
            while (!inflater.finished()) {
                if (size == out.length) {
                    if (size >= MAX_CHUNK) {
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
