// Pages opened from the disk may start no worker; here the search runs in a hidden frame of the page instead.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.documentElement.append(frame)
      const inside = frame.contentWindow
      const toPage = (data) => this.dispatchEvent(new MessageEvent("message", { data }))
      inside.postMessage = (data) => setTimeout(toPage, 0, data)
      const script = inside.document.createElement("script")
      this.ready = new Promise((done, failed) => {
        script.onload = done
        script.onerror = failed
      })
      script.src = new URL(address, location.href)
      inside.document.body.append(script)
      this.inside = inside
    }

    async postMessage(data) {
      await this.ready
      this.inside.dispatchEvent(new this.inside.MessageEvent("message", { data }))
    }

    terminate() {
      this.inside.frameElement.remove()
    }
  }
}
