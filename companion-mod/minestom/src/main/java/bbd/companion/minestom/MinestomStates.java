package bbd.companion.minestom;

import bbd.companion.blocks.BlockState;
import bbd.companion.blocks.BlockStates;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import net.minestom.server.instance.block.Block;

/** The numbers that the game itself gives to states (all are below 65536; air is 0). */
final class MinestomStates implements BlockStates {
    /** Stands, for players, where a block is that this server does not know. */
    static final int STAND_IN = Block.BEDROCK.stateId();
    private static final int REMEMBERED = 1 << 16;
    private final Map<BlockState, Character> numbers = new ConcurrentHashMap<>();
    private final BlockState[] states = new BlockState[REMEMBERED];

    @Override
    public char number(BlockState state) {
        Character known = numbers.get(state);
        if (known == null) {
            known = state.isAir() ? air() : find(state);
            if (numbers.size() < REMEMBERED) {
                numbers.put(state, known);
            }
        }
        return known;
    }

    private static char find(BlockState state) {
        try {
            Block block = Block.fromKey(state.name());
            if (block == null) {
                return UNKNOWN;
            }
            Map<String, String> properties = new TreeMap<>(block.properties());
            properties.putAll(state.properties());
            return (char) block.withProperties(properties).stateId();
        } catch (RuntimeException error) {
            // Neither names nor properties that the game never had are worth more than this.
            return UNKNOWN;
        }
    }

    @Override
    public BlockState state(char number) {
        BlockState known = states[number];
        if (known == null && number != UNKNOWN) {
            Block block = Block.fromStateId(number);
            known = block == null ? null : told(block);
            states[number] = known;
        }
        return known;
    }

    /** A block with all its properties. */
    static BlockState told(Block block) {
        return new BlockState(block.name(), block.properties());
    }

    @Override
    public char air() {
        return 0;
    }
}
