package bbd.companion.anvil;

import bbd.companion.blocks.ChunkPos;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * One region file ({@code r.X.Z.mca}), written copy-on-write: chunks go to sectors that no location names, are forced
 * to disk, and only then named by the header, which is forced too; old sectors are free after that and not before. A
 * chunk of more than 255 sectors lies in {@code c.X.Z.mcc} beside it.
 *
 * <p>Any thread may call. After a failed write every chunk stands as before; the next write makes sure of the header
 * before it takes any sector.
 */
final class RegionFile implements Closeable {
    private static final int CHUNKS = 1024;
    private static final int HEADER_SIZE = Sectors.HEADER * Sectors.SIZE;
    private static final int PREFIX = 5;
    /** Writers that count the length itself overstate a chunk's length by so much. */
    private static final int OVERSTATED = 4;

    private final Path path;
    private final ChunkPos region;
    private final boolean writable;
    private FileChannel channel;
    private int[] locations = new int[CHUNKS];
    private int[] timestamps = new int[CHUNKS];
    private boolean named;
    private boolean settled;
    private boolean broken;
    private List<Sectors.Extent> avoid = List.of();

    RegionFile(Path folder, ChunkPos region, boolean writable) throws IOException {
        this.writable = writable;
        this.path = folder.resolve(name(region));
        this.region = region;
        reopen();
    }

    /** A file that was closed, or that somebody else has made meanwhile, is opened again. */
    private void reopen() throws IOException {
        if (channel == null && Files.exists(path)) {
            open(false);
        }
    }

    static String name(ChunkPos region) {
        return "r." + region.x() + "." + region.z() + ".mca";
    }

    /** The chunks that the header names, readable or not. */
    synchronized BitSet present() throws IOException {
        reopen();
        BitSet present = new BitSet(CHUNKS);
        for (int i = 0; i < CHUNKS; i++) {
            present.set(i, broken || locations[i] != 0);
        }
        return present;
    }

    /** The chunk at an index; null where none is. Throws {@link UnreadableChunk}. */
    synchronized RawChunk read(int index) throws IOException {
        reopen();
        RawChunk found = readHere(index);
        if (found == null || (found.compression() & RawChunk.EXTERNAL) == 0) {
            return found;
        }
        Path file = external(index);
        if (!Files.exists(file)) {
            throw new UnreadableChunk("its bytes should lie in " + file.getFileName() + ", which is not there");
        }
        if (Files.size(file) > RawChunk.MAX_CHUNK) {
            throw new UnreadableChunk(file.getFileName() + " is larger than any chunk");
        }
        return new RawChunk(found.compression() & ~RawChunk.EXTERNAL, Files.readAllBytes(file));
    }

    /** Puts chunks and takes others away, durably. */
    synchronized void write(Map<Integer, RawChunk> chunks, Set<Integer> removals) throws IOException {
        reopen();
        if (!writable) {
            throw new IOException(path.getFileName() + " is open for reading only");
        }
        if (broken) {
            throw new IOException(path.getFileName() + " has a broken header; move it away");
        }
        boolean idle = chunks.isEmpty() && removals.stream().noneMatch(index -> locations[index] != 0);
        if (channel == null) {
            if (idle) {
                return;
            }
            open(true);
        }
        settle();
        if (idle) {
            return;
        }
        Map<Integer, RawChunk> batch = withinReach(chunks);
        Map<Integer, Sectors.Extent> placed = place(batch);
        settled = false;
        avoid = List.copyOf(placed.values());
        for (Map.Entry<Integer, Sectors.Extent> entry : placed.entrySet()) {
            put(batch.get(entry.getKey()), entry.getValue());
        }
        if (!placed.isEmpty()) {
            channel.force(true);
        }
        publish(placed, removals);
        for (int index : union(chunks.keySet(), removals)) {
            if (!batch.containsKey(index) || (batch.get(index).compression() & RawChunk.EXTERNAL) == 0) {
                Files.deleteIfExists(external(index));
            }
        }
    }

    /** Forces the file to disk, whoever wrote it. */
    synchronized void force() throws IOException {
        reopen();
        if (channel != null) {
            channel.force(true);
        }
    }

    /** Closes the file until it is used again. */
    @Override
    public synchronized void close() throws IOException {
        if (channel != null) {
            channel.close();
            channel = null;
        }
    }

    private void open(boolean create) throws IOException {
        Set<StandardOpenOption> options = java.util.EnumSet.of(StandardOpenOption.READ);
        if (writable) {
            options.add(StandardOpenOption.WRITE);
        }
        if (create) {
            options.add(StandardOpenOption.CREATE);
        }
        channel = FileChannel.open(path, options);
        named = false;
        settled = false;
        byte[] header = Durable.read(channel, 0, HEADER_SIZE);
        if (header.length < HEADER_SIZE) {
            for (byte one : header) {
                broken |= one != 0;
            }
            header = java.util.Arrays.copyOf(header, HEADER_SIZE);
        }
        IntBuffer tables = ByteBuffer.wrap(header).asIntBuffer();
        tables.get(locations).get(timestamps);
    }

    private RawChunk readHere(int index) throws IOException {
        if (broken) {
            throw new UnreadableChunk("its region file " + path.getFileName() + " has a broken header");
        }
        if (channel == null || locations[index] == 0) {
            return null;
        }
        Sectors.Extent extent = Sectors.Extent.of(locations[index]);
        if (extent.start() < Sectors.HEADER || extent.sectors() == 0) {
            throw new UnreadableChunk("the region file places it wrongly, at sector " + extent.start());
        }
        for (int other = 0; other < CHUNKS; other++) {
            if (other != index && locations[other] != 0 && extent.meets(Sectors.Extent.of(locations[other]))) {
                throw new UnreadableChunk("the region file places it over another chunk");
            }
        }
        int room = extent.sectors() * Sectors.SIZE;
        return parse(Durable.read(channel, (long) extent.start() * Sectors.SIZE, room), room);
    }

    private static RawChunk parse(byte[] content, int room) throws UnreadableChunk {
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

    private Path external(int index) {
        ChunkPos chunk = region.chunk(index);
        return path.resolveSibling("c." + chunk.x() + "." + chunk.z() + ".mcc");
    }

    private static int sectors(RawChunk chunk) {
        return Sectors.count(PREFIX + (long) chunk.data().length);
    }

    private Map<Integer, RawChunk> withinReach(Map<Integer, RawChunk> chunks) throws IOException {
        Map<Integer, RawChunk> reach = new TreeMap<>();
        for (Map.Entry<Integer, RawChunk> entry : chunks.entrySet()) {
            RawChunk chunk = entry.getValue();
            reach.put(entry.getKey(), sectors(chunk) <= Sectors.MAX ? chunk : outside(entry.getKey(), chunk));
        }
        return reach;
    }

    /** Puts a chunk into its own file. Where one stands the rename is the change, so the compression must be its. */
    private RawChunk outside(int index, RawChunk chunk) throws IOException {
        RawChunk same = chunk;
        RawChunk standing = locations[index] == 0 ? null : readHere(index);
        if (standing != null && (standing.compression() & RawChunk.EXTERNAL) != 0) {
            same = chunk.as(standing.compression() & ~RawChunk.EXTERNAL);
        }
        Durable.replace(external(index), same.data());
        return new RawChunk(same.compression() | RawChunk.EXTERNAL, new byte[0]);
    }

    private Map<Integer, Sectors.Extent> place(Map<Integer, RawChunk> batch) throws IOException {
        List<Sectors.Extent> taken = new ArrayList<>(avoid);
        for (int location : locations) {
            if ((location & 0xFF) != 0) {
                taken.add(Sectors.Extent.of(location));
            }
        }
        List<Integer> counts = batch.values().stream().map(RegionFile::sectors).toList();
        List<Sectors.Extent> found = Sectors.allocate(taken, counts);
        Map<Integer, Sectors.Extent> placed = new LinkedHashMap<>();
        int at = 0;
        for (int index : batch.keySet()) {
            placed.put(index, found.get(at++));
        }
        return placed;
    }

    private void put(RawChunk chunk, Sectors.Extent extent) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(extent.sectors() * Sectors.SIZE);
        bytes.putInt(1 + chunk.data().length).put((byte) chunk.compression()).put(chunk.data()).rewind();
        Durable.writeAll(channel, bytes, (long) extent.start() * Sectors.SIZE);
    }

    private void publish(Map<Integer, Sectors.Extent> placed, Collection<Integer> removals) throws IOException {
        int[] freshLocations = locations.clone();
        int[] freshTimestamps = timestamps.clone();
        int now = (int) (System.currentTimeMillis() / 1000);
        for (int index : union(placed.keySet(), removals)) {
            Sectors.Extent extent = placed.get(index);
            freshLocations[index] = extent == null ? 0 : extent.location();
            freshTimestamps[index] = now;
        }
        writeHeader(freshLocations, freshTimestamps);
        locations = freshLocations;
        timestamps = freshTimestamps;
        settled = true;
        avoid = List.of();
    }

    private void settle() throws IOException {
        if (!named) {
            Durable.syncFolder(path.toAbsolutePath().getParent());
            named = true;
        }
        if (!settled) {
            writeHeader(locations, timestamps);
            settled = true;
        }
    }

    private void writeHeader(int[] someLocations, int[] someTimestamps) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(HEADER_SIZE);
        header.asIntBuffer().put(someLocations).put(someTimestamps);
        Durable.writeAll(channel, header, 0);
        channel.force(true);
    }

    private static Set<Integer> union(Collection<Integer> some, Collection<Integer> others) {
        Set<Integer> all = new java.util.TreeSet<>(some);
        all.addAll(others);
        return all;
    }
}
