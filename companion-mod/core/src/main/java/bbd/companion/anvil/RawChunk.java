package bbd.companion.anvil;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPInputStream;

/** A chunk as it lies in its region file: a compression's number and the compressed bytes. */
record RawChunk(int compression, byte[] data) {
    static final int GZIP = 1;
    static final int ZLIB = 2;
    static final int NONE = 3;
    static final int LZ4 = 4;
    /** Set in the compression of a chunk that lies in a file of its own. */
    static final int EXTERNAL = 0x80;
    static final int MAX_CHUNK = 64 << 20;
    private static final int PREFIX = 5;
    /** Writers that count the length itself overstate a chunk's length by so much. */
    private static final int OVERSTATED = 4;

    /** A chunk as a region file has it, in {@code room} bytes of sectors, of which the file may lack some. */
    static RawChunk inSectors(byte[] content, int room) throws UnreadableChunk {
        if (content.length < PREFIX) {
            throw new UnreadableChunk("the region file ends before it");
        }
        long length = ByteBuffer.wrap(content).getInt() & 0xFFFFFFFFL;
        if (length == 0 || 4 + length > room + OVERSTATED) {
            throw new UnreadableChunk("its length of " + length + " bytes can't be");
        }
        if (Math.min(4 + length, room) > content.length + OVERSTATED) {
            throw new UnreadableChunk("the region file ends in the middle of it");
        }
        int end = (int) Math.min(4 + length, content.length);
        return new RawChunk(content[4] & 0xFF, java.util.Arrays.copyOfRange(content, PREFIX, end));
    }

    /** So many sectors of a region file. */
    int sectors() {
        return Sectors.count(PREFIX + (long) data.length);
    }

    /** As it lies in them. */
    ByteBuffer inSectors() {
        ByteBuffer bytes = ByteBuffer.allocate(sectors() * Sectors.SIZE);
        return bytes.putInt(1 + data.length).put((byte) compression).put(data).rewind();
    }

    /** The chunk's NBT; {@code shared} is what it may well have in it. */
    Content content(List<SharedBytes> shared) throws UnreadableChunk {
        return switch (compression) {
            case GZIP -> Content.of(gunzip());
            case ZLIB -> ZlibReader.read(data, MAX_CHUNK, shared);
            case NONE -> Content.of(data);
            case LZ4 -> Content.of(Lz4.unpack(data, MAX_CHUNK));
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
        byte[] nbt = content(List.of()).kept();
        return switch (wanted) {
            case ZLIB -> zlib(nbt);
            case NONE -> new RawChunk(NONE, nbt);
            default -> throw new UnreadableChunk("its compression " + wanted + " can't be written here");
        };
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
