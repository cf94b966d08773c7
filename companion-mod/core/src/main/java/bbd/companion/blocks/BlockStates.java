package bbd.companion.blocks;

/**
 * The block states of a server by numbers below 65536, so that sections are arrays of {@code char}.
 *
 * <p>What an implementer must not do: give a state another number while the server runs, block, or throw for names that
 * it has never heard of. Any thread may call.
 */
public interface BlockStates {
    /** Stands for a state that can't be told: no such block, or no more numbers. It can't be placed. */
    char UNKNOWN = 0xFFFF;

    /** The number of the state that the server makes of this, its defaults for properties that are not given. */
    char number(BlockState state);

    /** The state with a number, all its properties told; of {@link #UNKNOWN} null. */
    BlockState state(char number);

    /** The number of air; {@code cave_air} and {@code void_air} are given the same. */
    char air();
}
