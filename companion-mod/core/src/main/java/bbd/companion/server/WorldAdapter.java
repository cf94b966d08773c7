package bbd.companion.server;

import bbd.companion.anvil.AnvilStore;
import bbd.companion.blocks.BlockStates;
import bbd.companion.blocks.ChunkPos;
import bbd.companion.blocks.Column;
import java.util.BitSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * One dimension of a running server: its blocks by state numbers, in the sections 0 to 19 (y 0 to 319; where the
 * dimension is lower, the sections above are air).
 *
 * <p>What an implementer must not do: answer with blocks that it is not sure of (a chunk that can't be read is
 * {@link bbd.companion.anvil.UnreadableChunk}, never air, and is never generated anew or saved over), show a column with
 * some sections before and some after a {@link #put}, run physics or events for {@link #put}, let a chunk be saved in
 * the middle of one, or call a save done that failed. Futures may be completed by any thread; no method but
 * {@link #peek} and {@link #put} may need the main thread to return.
 */
public interface WorldAdapter {
    BlockStates states();

    /** The DataVersion that the server saves chunks with. */
    int dataVersion();

    /**
     * A column as it stands now, in memory where the chunk is loaded, else as it was saved; nothing where no chunk is,
     * or one that the server made up and that is air all over. Called on the core's own threads, where it may read
     * files. Fails with {@link bbd.companion.anvil.UnreadableChunk} or {@link java.io.IOException}.
     */
    CompletableFuture<Optional<Column>> look(ChunkPos at);

    /**
     * Brings a chunk into memory and keeps it there until {@link #release}; each call counts. Where no chunk is, an
     * empty one. Fails as {@link #look} does; with {@code replace} a chunk that can't be read becomes an empty one, and
     * the next save writes over it.
     */
    CompletableFuture<Void> hold(ChunkPos at, boolean replace);

    /** Takes back one {@link #hold}. */
    void release(ChunkPos at);

    /** Main thread, held chunks only: the column as it stands. The caller does not change the arrays. */
    Column peek(ChunkPos at);

    /**
     * Main thread, held chunks only: sets the sections in {@code mask} to {@code sections} (null: air all over), and
     * shows it to players. The arrays are the implementer's from then on. Nothing else changes, nothing reacts.
     */
    void put(ChunkPos at, int mask, char[][] sections);

    /**
     * Saves these chunks as they stand, soon. Completing means that the server has done what it can; the core reads the
     * files again by itself and calls again where they don't say so yet.
     */
    CompletableFuture<Void> save(Set<ChunkPos> chunks);

    /** The chunks of a region, by {@link ChunkPos#index}, that stand in memory only and are not all air. */
    BitSet unsaved(ChunkPos region);

    /** The regions in which there are such chunks. */
    Set<ChunkPos> unsavedRegions();

    /** The dimension's region files. The core only reads them through this. */
    AnvilStore files();
}
