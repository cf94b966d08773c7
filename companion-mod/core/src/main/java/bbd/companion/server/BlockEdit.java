package bbd.companion.server;

/**
 * A block that somebody changed.
 *
 * @param was the state before, as {@link bbd.companion.blocks.BlockState#toString} writes it
 * @param now the state after
 * @param cause the server's word for it, in lower case with underscores ({@code block_place}, {@code entity_explode})
 * @param who a player's name, or null
 */
public record BlockEdit(String dimension, int x, int y, int z, String was, String now, String cause, String who) {}
