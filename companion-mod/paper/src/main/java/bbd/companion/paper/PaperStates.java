package bbd.companion.paper;

import bbd.companion.blocks.BlockState;
import bbd.companion.blocks.InternedStates;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bukkit.Server;
import org.bukkit.block.data.BlockData;

/** The server's block states, by name and by number. */
final class PaperStates {
    private static final int REMEMBERED = 1 << 16;
    private final Server server;
    private final InternedStates numbers = new InternedStates(this::whole);
    private final Map<BlockData, Character> known = new ConcurrentHashMap<>();
    private final BlockData[] data = new BlockData[REMEMBERED];

    PaperStates(Server server) {
        this.server = server;
    }

    InternedStates numbers() {
        return numbers;
    }

    /** The whole state, the server's defaults for what is not told; null for a block that it does not know. */
    private BlockState whole(BlockState state) {
        try {
            return BlockState.parse(server.createBlockData(state.toString()).getAsString());
        } catch (IllegalArgumentException error) {
            return null;
        }
    }

    char number(BlockData block) {
        Character number = known.get(block);
        if (number == null) {
            number = numbers.number(BlockState.parse(block.getAsString()));
            known.put(block, number);
        }
        return number;
    }

    /** Main thread. What is to be placed for a number. */
    BlockData data(char number) {
        if (data[number] == null) {
            data[number] = server.createBlockData(numbers.state(number).toString());
        }
        return data[number];
    }
}
