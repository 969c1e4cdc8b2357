package framelane.agent

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** The line itself has no meaning. */
class Misunderstood(text: String) : Exception(text)

/** A command line: a word, then `key=value`. */
class Line(text: String) {
    val word: String
    val pairs: Map<String, String>

    init {
        val parts = text.trim().split(' ').filter { it.isNotEmpty() }
        word = parts.firstOrNull() ?: throw Misunderstood("an empty line")
        pairs = parts.drop(1).associate { pair ->
            val (key, value) = pair.split('=', limit = 2).takeIf { it.size == 2 }
                ?: throw Misunderstood("$pair is no key=value")
            key to value
        }
    }

    operator fun get(key: String): String? = pairs[key]

    operator fun contains(key: String) = key in pairs

    fun need(key: String): String = pairs[key] ?: throw Misunderstood("$word needs $key=")

    fun long(key: String, default: Long = 0): Long {
        val text = pairs[key] ?: return default
        return text.toLongOrNull() ?: throw Misunderstood("$key=$text has no meaning")
    }

    /** What does not fit an Int stands for nothing. */
    fun int(key: String, default: Int = 0): Int {
        val number = long(key, default.toLong())
        if (number !in Int.MIN_VALUE..Int.MAX_VALUE) throw Misunderstood("$key=$number is too much")
        return number.toInt()
    }

    fun flag(key: String, default: Boolean = false) = long(key, if (default) 1 else 0) != 0L

    /** A time that must be there. */
    fun time(key: String): Duration {
        need(key)
        return long(key).milliseconds
    }

    /** A time, none where it is not there. */
    fun timeOrNone(key: String): Duration = long(key).milliseconds

    /** One of an enum's names in lower case. */
    inline fun <reified E : Enum<E>> choice(key: String, default: E): E {
        val text = this[key] ?: return default
        return enumValues<E>().firstOrNull { it.name.lowercase() == text }
            ?: throw Misunderstood("$key=$text has no meaning")
    }

    inline fun <reified E : Enum<E>> choice(key: String): E =
        enumValues<E>().firstOrNull { it.name.lowercase() == need(key) }
            ?: throw Misunderstood("$key=${need(key)} has no meaning")
}

/** Numbered things, each of which is closed when another takes its place. */
class Numbered<T : AutoCloseable>(private val key: String) {
    private val held = mutableMapOf<Int, T>()

    fun put(line: Line, thing: T): T {
        held.put(line.int(key), thing)?.close()
        return thing
    }

    fun get(line: Line): T = held[line.int(key)] ?: throw Misunderstood(missing(line))

    fun take(line: Line): T = take(line.int(key))

    fun take(number: Int): T = held.remove(number) ?: throw Misunderstood("there is no $key $number")

    fun close() {
        held.values.forEach { runCatching { it.close() } }
        held.clear()
    }

    private fun missing(line: Line) = "there is no $key ${line.int(key)}"
}

fun Boolean.digit() = if (this) 1 else 0
