package bbd.companion.minestom;

import bbd.companion.blocks.ChunkPos;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.minestom.server.entity.Player;
import net.minestom.server.instance.InstanceContainer;

/** Which of a dimension's loaded chunks have something to be saved, and which nobody needs. */
final class LoadedChunks {
    private static final long IDLE_NANOS = 5_000_000_000L;
    private static final int MARGIN = 2;

    private final InstanceContainer instance;

    LoadedChunks(InstanceContainer instance) {
        this.instance = instance;
    }

    Set<ChunkPos> dirty() {
        return all().filter(WorldChunk::isDirty).map(WorldChunk::at).collect(Collectors.toSet());
    }

    /** The chunks of a region that hold something and are not saved, by their index. */
    BitSet unsaved(ChunkPos region) {
        BitSet found = new BitSet();
        all().filter(LoadedChunks::isUnsaved).map(WorldChunk::at).filter(at -> at.region().equals(region))
                .forEach(at -> found.set(at.index()));
        return found;
    }

    Set<ChunkPos> unsavedRegions() {
        return all().filter(LoadedChunks::isUnsaved).map(chunk -> chunk.at().region()).collect(Collectors.toSet());
    }

    /** Those that nothing was done with for a while, and that no player is near. Main thread. */
    List<WorldChunk> idle() {
        return all().filter(chunk -> chunk.idle() > IDLE_NANOS && !isNearPlayer(chunk.at())).toList();
    }

    private Stream<WorldChunk> all() {
        return instance.getChunks().stream().filter(WorldChunk.class::isInstance).map(WorldChunk.class::cast);
    }

    private static boolean isUnsaved(WorldChunk chunk) {
        return chunk.isDirty() && !chunk.isAir();
    }

    private boolean isNearPlayer(ChunkPos at) {
        int near = instance.viewDistance() + MARGIN;
        for (Player player : instance.getPlayers()) {
            int x = player.getPosition().chunkX() - at.x();
            int z = player.getPosition().chunkZ() - at.z();
            if (Math.abs(x) <= near && Math.abs(z) <= near) {
                return true;
            }
        }
        return false;
    }
}
