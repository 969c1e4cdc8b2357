/** The Kotlin agent of the conformance runs: does line by line what conformance/README.md says. */
package framelane.agent

import framelane.FramelaneException
import java.io.IOException

/** What is answered with `none`; null means that somebody else knows the word. */
const val NOTHING = "none"

private class Agent {
    private val producing = Producing()
    private val consuming = Consuming()
    private val writing = Writing()
    private val reading = Reading()
    private val switching = Switching()

    fun answer(line: Line): String =
        consuming.command(line) ?: writing.command(line) ?: reading.command(line)
            ?: switching.command(line) ?: both(line) ?: producing.command(line)

    private fun both(line: Line): String? {
        if (line.word != "reset") return null
        close()
        return ""
    }

    fun close() {
        consuming.close()
        reading.close()
        switching.close()
        producing.close()
        writing.close()
    }
}

private fun Agent.tell(text: String): String = try {
    val answer = answer(Line(text))
    if (answer == NOTHING) answer else "ok$answer"
} catch (failure: FramelaneException) {
    "error kind=${failure.kind?.name?.lowercase()} text=${failure.message}"
} catch (failure: Misunderstood) {
    "error kind=invalid_argument text=${failure.message}"
} catch (failure: NumberFormatException) {
    "error kind=invalid_argument text=${failure.message}"
} catch (failure: IOException) {
    "error kind=invalid_argument text=$failure"
}

fun main() {
    val agent = Agent()
    println("ready language=kotlin")
    while (true) {
        val text = readlnOrNull() ?: break
        if (text.trim() == "quit") break
        println(agent.tell(text))
    }
}
