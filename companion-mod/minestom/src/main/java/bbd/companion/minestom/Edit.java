package bbd.companion.minestom;

import bbd.companion.blocks.BlockState;
import bbd.companion.blocks.BlockStates;
import bbd.companion.blocks.ChunkPos;
import bbd.companion.server.BlockEdit;
import bbd.companion.server.Edits;
import java.util.Optional;
import net.minestom.server.coordinate.Point;
import net.minestom.server.instance.block.Block;

/** Changes of blocks by whoever is not the core: asked for, made and told. Tick threads. */
final class Edit {
    private final Edits edits;
    private final BlockStates states;

    Edit(Edits edits, BlockStates states) {
        this.edits = edits;
        this.states = states;
    }

    /** Whether a block may be changed; one that this server does not know may not, it would be lost. */
    boolean allows(World world, Point at) {
        return number(world, at).filter(number -> number != BlockStates.UNKNOWN).isPresent()
                && edits.allows(world.name(), at.blockX(), at.blockY(), at.blockZ());
    }

    /** Changes a block as far as that is allowed. */
    boolean change(World world, Point at, Block now, String cause, String who) {
        if (!allows(world, at)) {
            return false;
        }
        BlockState was = state(world, at);
        world.instance().setBlock(at, now, false);
        changed(world, at, was, cause, who);
        return true;
    }

    /** Tells of a block that was changed already. */
    void changed(World world, Point at, BlockState was, String cause, String who) {
        edits.changed(new BlockEdit(world.name(), at.blockX(), at.blockY(), at.blockZ(), was.toString(),
                state(world, at).toString(), cause, who));
    }

    BlockState state(World world, Point at) {
        BlockState known = number(world, at).map(states::state).orElse(null);
        return known == null ? BlockState.AIR : known;
    }

    private static Optional<Character> number(World world, Point at) {
        return world.loaded(new ChunkPos(at.chunkX(), at.chunkZ()))
                .map(chunk -> chunk.number(at.blockX(), at.blockY(), at.blockZ()));
    }
}
