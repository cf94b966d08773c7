package bbd.companion.anvil;

import bbd.companion.blocks.ChunkPos;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
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

    private final Path path;
    private final ChunkPos region;
    private final boolean writable;
    private FileChannel channel;
    private RegionHeader header = new RegionHeader(new byte[RegionHeader.SIZE]);
    private boolean named;
    private boolean settled;
    private boolean broken;
    private List<Sectors.Extent> avoid = List.of();
    /** How often chunks were put here: sectors that were free before may not be any more. */
    private long writes;

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
        BitSet present = header.present();
        if (broken) {
            present.set(0, RegionHeader.CHUNKS);
        }
        return present;
    }

    /** The chunk at an index; null where none is. Throws {@link UnreadableChunk}. */
    RawChunk read(int index) throws IOException {
        Place place = place(index);
        if (place == null) {
            return null;
        }
        byte[] content = place.bytes();
        if (content != null && isAsBefore(place)) {
            RawChunk found = RawChunk.inSectors(content, place.room());
            if ((found.compression() & RawChunk.EXTERNAL) == 0) {
                return found;
            }
        }
        return readAlone(index);
    }

    /** Where a chunk lay when somebody looked. Its bytes are read while others read, or write, as well. */
    private record Place(FileChannel channel, Sectors.Extent extent, long writes) {
        int room() {
            return extent.sectors() * Sectors.SIZE;
        }

        /** Null where the file was closed meanwhile. */
        byte[] bytes() throws IOException {
            try {
                return Durable.read(channel, (long) extent.start() * Sectors.SIZE, room());
            } catch (ClosedChannelException closed) {
                return null;
            }
        }
    }

    private synchronized Place place(int index) throws IOException {
        reopen();
        Sectors.Extent extent = extent(index);
        return extent == null ? null : new Place(channel, extent, writes);
    }

    private synchronized boolean isAsBefore(Place place) {
        return place.writes == writes;
    }

    private synchronized RawChunk readAlone(int index) throws IOException {
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
        boolean idle = chunks.isEmpty() && removals.stream().noneMatch(header::names);
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
        writes++;
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
        byte[] bytes = Durable.read(channel, 0, RegionHeader.SIZE);
        if (bytes.length < RegionHeader.SIZE) {
            for (byte one : bytes) {
                broken |= one != 0;
            }
        }
        header = new RegionHeader(java.util.Arrays.copyOf(bytes, RegionHeader.SIZE));
    }

    /** Null where no chunk is. */
    private Sectors.Extent extent(int index) throws IOException {
        if (broken) {
            throw new UnreadableChunk("its region file " + path.getFileName() + " has a broken header");
        }
        return channel == null || !header.names(index) ? null : header.extent(index);
    }

    private RawChunk readHere(int index) throws IOException {
        Sectors.Extent extent = extent(index);
        if (extent == null) {
            return null;
        }
        int room = extent.sectors() * Sectors.SIZE;
        return RawChunk.inSectors(Durable.read(channel, (long) extent.start() * Sectors.SIZE, room), room);
    }

    private Path external(int index) {
        ChunkPos chunk = region.chunk(index);
        return path.resolveSibling("c." + chunk.x() + "." + chunk.z() + ".mcc");
    }

    private Map<Integer, RawChunk> withinReach(Map<Integer, RawChunk> chunks) throws IOException {
        Map<Integer, RawChunk> reach = new TreeMap<>();
        for (Map.Entry<Integer, RawChunk> entry : chunks.entrySet()) {
            RawChunk chunk = entry.getValue();
            reach.put(entry.getKey(), chunk.sectors() <= Sectors.MAX ? chunk : outside(entry.getKey(), chunk));
        }
        return reach;
    }

    /** Puts a chunk into its own file. Where one stands the rename is the change, so the compression must be its. */
    private RawChunk outside(int index, RawChunk chunk) throws IOException {
        RawChunk same = chunk;
        RawChunk standing = readHere(index);
        if (standing != null && (standing.compression() & RawChunk.EXTERNAL) != 0) {
            same = chunk.as(standing.compression() & ~RawChunk.EXTERNAL);
        }
        Durable.replace(external(index), same.data());
        return new RawChunk(same.compression() | RawChunk.EXTERNAL, new byte[0]);
    }

    private Map<Integer, Sectors.Extent> place(Map<Integer, RawChunk> batch) throws IOException {
        List<Sectors.Extent> taken = new ArrayList<>(avoid);
        taken.addAll(header.taken());
        List<Integer> counts = batch.values().stream().map(RawChunk::sectors).toList();
        List<Sectors.Extent> found = Sectors.allocate(taken, counts);
        Map<Integer, Sectors.Extent> placed = new LinkedHashMap<>();
        int at = 0;
        for (int index : batch.keySet()) {
            placed.put(index, found.get(at++));
        }
        return placed;
    }

    private void put(RawChunk chunk, Sectors.Extent extent) throws IOException {
        Durable.writeAll(channel, chunk.inSectors(), (long) extent.start() * Sectors.SIZE);
    }

    private void publish(Map<Integer, Sectors.Extent> placed, Collection<Integer> removals) throws IOException {
        RegionHeader fresh = header.with(placed, removals);
        write(fresh);
        header = fresh;
        settled = true;
        avoid = List.of();
    }

    private void settle() throws IOException {
        if (!named) {
            Durable.syncFolder(path.toAbsolutePath().getParent());
            named = true;
        }
        if (!settled) {
            write(header);
            settled = true;
        }
    }

    private void write(RegionHeader fresh) throws IOException {
        Durable.writeAll(channel, fresh.bytes(), 0);
        channel.force(true);
    }

    private static Set<Integer> union(Collection<Integer> some, Collection<Integer> others) {
        Set<Integer> all = new java.util.TreeSet<>(some);
        all.addAll(others);
        return all;
    }
}
