package bbd.companion.paper;

import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import org.bukkit.block.Block;
import org.bukkit.entity.Entity;
import org.bukkit.event.Cancellable;
import org.bukkit.event.Event;

/**
 * What an event of the server says of blocks.
 *
 * @param type the event
 * @param cause the protocol's word for it
 * @param blocks those that would change
 * @param who is behind it; null for nobody
 * @param deny what is to be done where a block (by the predicate) may not change
 * @param was what a block was before the event, where it comes after the change; null: look
 * @param ticks for how long blocks may go on changing because of it
 */
record Rule<E extends Event>(Class<E> type, String cause, Function<E, List<Block>> blocks, Function<E, Entity> who,
        Deny<E> deny, BiFunction<E, Block, String> was, int ticks) {
    /** Keeps blocks from changing. */
    interface Deny<E> {
        void deny(E event, Predicate<Block> allowed);
    }

    /** An event that is cancelled as a whole. */
    static <E extends Event> Rule<E> of(Class<E> type, String cause, Function<E, List<Block>> blocks) {
        return new Rule<>(type, cause, blocks, event -> null, (event, allowed) -> {
            if (event instanceof Cancellable whole) {
                whole.setCancelled(true);
            }
        }, (event, block) -> null, 1);
    }

    Rule<E> by(Function<E, Entity> whoever) {
        return new Rule<>(type, cause, blocks, whoever, deny, was, ticks);
    }

    Rule<E> denied(Deny<E> other) {
        return new Rule<>(type, cause, blocks, who, other, was, ticks);
    }

    Rule<E> before(BiFunction<E, Block, String> other) {
        return new Rule<>(type, cause, blocks, who, deny, other, ticks);
    }

    Rule<E> lasting(int other) {
        return new Rule<>(type, cause, blocks, who, deny, was, other);
    }
}
