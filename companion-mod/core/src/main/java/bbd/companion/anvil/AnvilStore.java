package bbd.companion.anvil;

import bbd.companion.blocks.BlockStates;
import bbd.companion.blocks.ChunkPos;
import bbd.companion.blocks.Column;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The region files of one dimension, for servers that leave loading and saving to us. Everything written is forced to
 * disk when the call returns; a chunk in which nothing changed is not written; one that can't be read is an error
 * ({@link UnreadableChunk}) and stays as it is. Any thread may call.
 */
public final class AnvilStore implements Closeable {
    private static final Logger LOG = LoggerFactory.getLogger(AnvilStore.class);
    /** Of chunks that nobody saved before: Minecraft 1.20.1, which every later game opens. */
    public static final int DATA_VERSION = 3465;
    private static final Pattern REGION = Pattern.compile("r\\.(-?\\d{1,7})\\.(-?\\d{1,7})\\.mca");
    private static final int KEPT = 64;
    private static final int BATCH_BYTES = 16 << 20;

    private final Path folder;
    private final BlockStates states;
    private final boolean writable;
    private final Palettes palettes;
    private final BlockWriter blocks;
    private final ChunkWriter writer;
    private final Map<ChunkPos, RegionFile> open = new LinkedHashMap<>(KEPT, 0.75f, true);

    /** {@code folder} need not exist yet. */
    public AnvilStore(Path folder, BlockStates states) {
        this(folder, states, true, new Palettes(states), new BlockWriter(states));
    }

    private AnvilStore(Path folder, BlockStates states, boolean writable, Palettes palettes, BlockWriter blocks) {
        this.folder = folder;
        this.writable = writable;
        this.states = states;
        this.palettes = palettes;
        this.blocks = blocks;
        this.writer = new ChunkWriter(blocks, palettes, DATA_VERSION);
    }

    /** Many sections with blocks of these states, by number, will be saved; it costs less when that is known. */
    public void prefer(char[] palette) {
        try {
            blocks.prefer(palette);
        } catch (UnreadableChunk untold) {
            LOG.debug("a palette that can't be saved is not preferred", untold);
        }
    }

    /**
     * A chunk as it was saved.
     *
     * @param sections blocks by the section's Y; those of air all over are not there
     * @param dataVersion of the game that saved it, or null
     */
    public record Saved(Map<Integer, char[]> sections, Integer dataVersion) {}

    /** All of a chunk; nothing where no chunk is. Throws {@link UnreadableChunk}, {@link IOException}. */
    public Optional<Saved> load(ChunkPos at) throws IOException {
        Chunk chunk = chunk(at);
        if (chunk == null) {
            return Optional.empty();
        }
        Map<Integer, char[]> sections = new TreeMap<>();
        for (int y : chunk.sections.keySet()) {
            char[] blocks = chunk.blocks(y, palettes);
            if (blocks != null) {
                sections.put(y, blocks);
            }
        }
        return Optional.of(new Saved(sections, chunk.dataVersion()));
    }

    /** The disk's sections of a chunk; nothing where no chunk is. Throws {@link UnreadableChunk}, {@link IOException}. */
    public Optional<Column> column(ChunkPos at) throws IOException {
        Chunk chunk = chunk(at);
        return chunk == null ? Optional.empty() : Optional.of(chunk.column(palettes));
    }

    /** Whether the disk's sections of a chunk are saved as in {@code wanted}; no chunk is one of air. */
    public boolean holds(ChunkPos at, Column wanted) throws IOException {
        Chunk chunk = chunk(at);
        for (int y = 0; y < Column.SECTIONS; y++) {
            char[] blocks = Column.isAir(wanted.sections()[y], states.air()) ? null : wanted.sections()[y];
            if (chunk == null ? blocks != null : !chunk.isSame(y, blocks, palettes)) {
                return false;
            }
        }
        return true;
    }

    /** The bytes of a chunk as they lie in the file, compression first; nothing where no chunk is. */
    public Optional<byte[]> raw(ChunkPos at) throws IOException {
        RawChunk raw = region(at.region()).read(at.index());
        if (raw == null) {
            return Optional.empty();
        }
        byte[] bytes = new byte[1 + raw.data().length];
        bytes[0] = (byte) raw.compression();
        System.arraycopy(raw.data(), 0, bytes, 1, raw.data().length);
        return Optional.of(bytes);
    }

    /**
     * Saves chunks: for each, blocks by the section's Y, null for air all over; sections that are not named stay. Of a
     * chunk that stands, only the sections that differ are written, and if none does, nothing. A chunk in which nothing
     * of anybody's is left is removed. Chunks in {@code replaced} that can't be read are written anew; any other such
     * chunk fails the call.
     */
    public void save(Map<ChunkPos, Map<Integer, char[]>> chunks, Set<ChunkPos> replaced) throws IOException {
        Map<ChunkPos, List<ChunkPos>> byRegion = new HashMap<>();
        for (ChunkPos at : chunks.keySet()) {
            byRegion.computeIfAbsent(at.region(), region -> new ArrayList<>()).add(at);
        }
        for (Map.Entry<ChunkPos, List<ChunkPos>> entry : byRegion.entrySet()) {
            saveRegion(entry.getKey(), entry.getValue(), chunks, replaced);
        }
    }

    private void saveRegion(ChunkPos region, List<ChunkPos> places, Map<ChunkPos, Map<Integer, char[]>> chunks,
            Set<ChunkPos> replaced) throws IOException {
        Map<Integer, RawChunk> batch = new HashMap<>();
        Set<Integer> removals = new HashSet<>();
        int size = 0;
        for (ChunkPos at : places) {
            Chunk standing = standing(at, replaced.contains(at));
            Map<Integer, char[]> changed = changed(standing, chunks.get(at));
            if (changed.isEmpty()) {
                continue;
            }
            if (standing == null
                    ? changed.values().stream().allMatch(java.util.Objects::isNull)
                    : writer.leftEmpty(standing, changed)) {
                removals.add(at.index());
                continue;
            }
            RawChunk raw = RawChunk.zlib(
                    standing == null ? writer.fresh(at, changed) : writer.rewritten(standing, changed));
            batch.put(at.index(), raw);
            size += raw.data().length;
            if (size > BATCH_BYTES) {
                write(region, batch, removals);
                batch = new HashMap<>();
                removals = new HashSet<>();
                size = 0;
            }
        }
        if (!batch.isEmpty() || !removals.isEmpty()) {
            write(region, batch, removals);
        }
    }

    private Chunk standing(ChunkPos at, boolean replace) throws IOException {
        try {
            return chunk(at);
        } catch (UnreadableChunk error) {
            if (replace) {
                return null;
            }
            throw error;
        }
    }

    /** What differs from the standing chunk; all of it where none stands. */
    private Map<Integer, char[]> changed(Chunk standing, Map<Integer, char[]> wanted) throws UnreadableChunk {
        Map<Integer, char[]> changed = new TreeMap<>();
        for (Map.Entry<Integer, char[]> entry : wanted.entrySet()) {
            char[] blocks = Column.isAir(entry.getValue(), states.air()) ? null : entry.getValue();
            if (standing == null || !standing.isSame(entry.getKey(), blocks, palettes)) {
                changed.put(entry.getKey(), blocks);
            }
        }
        return changed;
    }

    private void write(ChunkPos region, Map<Integer, RawChunk> batch, Set<Integer> removals) throws IOException {
        Files.createDirectories(folder);
        region(region).write(batch, removals);
    }

    /** Which chunks of a region have an entry in its header, by their index. */
    public BitSet present(ChunkPos region) throws IOException {
        return region(region).present();
    }

    /** The regions for which there is a file. */
    public List<ChunkPos> regions() throws IOException {
        List<ChunkPos> found = new ArrayList<>();
        if (Files.isDirectory(folder)) {
            try (var files = Files.newDirectoryStream(folder, "r.*.mca")) {
                for (Path file : files) {
                    Matcher name = REGION.matcher(file.getFileName().toString());
                    if (name.matches()) {
                        found.add(new ChunkPos(Integer.parseInt(name.group(1)), Integer.parseInt(name.group(2))));
                    }
                }
            }
        }
        return found;
    }

    /** Size, and time of the last change in nanoseconds, of a region's file; nothing where none is. */
    public Optional<long[]> fingerprint(ChunkPos region) throws IOException {
        Path file = folder.resolve(RegionFile.name(region));
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        var changed = Files.getLastModifiedTime(file).toInstant();
        return Optional.of(new long[]{Files.size(file), changed.getEpochSecond() * 1_000_000_000L + changed.getNano()});
    }

    /** Forces the files of regions to disk, whoever wrote them. */
    public void force(Set<ChunkPos> regions) throws IOException {
        for (ChunkPos region : regions) {
            region(region).force();
        }
    }

    /** A store for reading that has seen nothing yet of the same files: what it reads is what they hold. */
    public AnvilStore anew() {
        return new AnvilStore(folder, states, false, palettes, blocks);
    }

    @Override
    public synchronized void close() throws IOException {
        for (RegionFile file : open.values()) {
            file.close();
        }
        open.clear();
    }

    private Chunk chunk(ChunkPos at) throws IOException {
        RawChunk raw = region(at.region()).read(at.index());
        return raw == null ? null : Chunk.parse(raw.content(blocks.shared()), palettes);
    }

    /** There is one object for each region, always: it knows what is free. Only its file is closed. */
    private void closeIdle() throws IOException {
        int idle = open.size() - KEPT;
        for (RegionFile file : open.values()) {
            if (idle-- <= 0) {
                return;
            }
            file.close();
        }
    }

    private synchronized RegionFile region(ChunkPos region) throws IOException {
        RegionFile file = open.get(region);
        if (file == null) {
            file = new RegionFile(folder, region, writable);
            open.put(region, file);
            closeIdle();
        }
        return file;
    }
}
